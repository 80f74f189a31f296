/** Reported like any uncaught error, but later: whoever is at work goes on. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
