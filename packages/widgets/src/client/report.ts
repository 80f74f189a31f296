/** Throws the error in a microtask, so that the browser reports it and the caller continues. */
export function reportLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Runs code of the page, such as a listener, reports its error, and continues. */
export function attempt(work: () => void): void {
  try {
    work()
  } catch (error) {
    reportLater(error)
  }
}

const reported = new Set<string>()

/** Reports a mistake in the page once, although each of its elements may find it. */
export function reportOnce(error: unknown): void {
  const text = String(error)
  if (reported.has(text)) return
  reported.add(text)
  // eslint-disable-next-line no-console -- the developer of the page reads the console
  console.error(error)
}
