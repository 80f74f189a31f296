/** What the wires over HTTP share. */

const LOST = 1006

/** The close code that a socket would have had; what a proxy answers is a broken line. */
export function closeCode(status: number): number {
  const known: Readonly<Record<number, number>> = {
    400: 4000,
    401: 4001,
    403: 4003,
    422: 4000,
    429: 4113,
    503: 4150,
  }
  return known[status] ?? LOST
}

export function bearer(token: string | null | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {}
}
