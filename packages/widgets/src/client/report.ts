/** Reported like any uncaught error, but later: whoever is at work goes on. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Goes on after an error of somebody else's: a listener of the page, or a text of its own. */
export function attempt(work: () => void): void {
  try {
    work()
  } catch (error) {
    reportLater(error)
  }
}

const told = new Set<string>()

/** A mistake in the page, which each of its elements may meet, is worth one word. */
export function reportOnce(error: unknown): void {
  const text = String(error)
  if (told.has(text)) return
  told.add(text)
  // eslint-disable-next-line no-console -- whoever wrote the page can't see otherwise what it says
  console.error(error)
}
