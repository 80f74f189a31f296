/** Over a copy, and an exception of one never starves the next. */
export function notify<T extends unknown[]>(
  listeners: ReadonlySet<(...args: T) => void>,
  ...args: T
): void {
  for (const listener of [...listeners]) {
    try {
      listener(...args)
    } catch (error) {
      // Reported like any uncaught error, but later.
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
