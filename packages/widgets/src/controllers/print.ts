const listeners = new Set<() => void>()

function tell(): void {
  for (const listener of [...listeners]) listener()
}

/** Calls before the page is printed: what is shown only on demand is wanted on paper. Returns the undo function. */
export function onPrint(listener: () => void): () => void {
  // The same function twice is one listener.
  addEventListener('beforeprint', tell)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
