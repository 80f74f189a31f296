/** Makes the id of a command. `crypto.randomUUID` is missing on pages served over plain HTTP. */
export function newRequestId(): string {
  return [...randomBytes()].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** An id must be unique and is no secret, so `Math.random` replaces a missing `crypto`. */
function randomBytes(): Uint8Array {
  const bytes = new Uint8Array(16)
  try {
    return crypto.getRandomValues(bytes)
  } catch {
    return bytes.map(() => Math.random() * 256)
  }
}
