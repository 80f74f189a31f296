export interface UntilOptions {
  /** @default 10_000 */
  readonly timeoutMs?: number
  /** Names what is waited for in the error. @default 'the condition' */
  readonly what?: string
}

const POLL_MS = 10

/**
 * Waits for a condition instead of a time: calls it every 10 ms until it answers something truthy, and answers that.
 *
 * @throws when it did not come true in time; the last error of the condition is kept as the cause
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what = 'the condition' }: UntilOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline)
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
