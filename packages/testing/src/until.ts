export interface UntilOptions {
  /** @default 10_000 */
  readonly timeoutMs?: number
  /** The name of the condition in the error. @default 'the condition' */
  readonly what?: string
}

const POLL_MS = 10

/**
 * Waits for a condition: calls it every 10 ms until it returns a truthy value, and returns that value.
 *
 * @throws if the condition did not become true in time; the cause is its last error
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
