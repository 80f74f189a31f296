/** What happens to the page around the client; nothing of it exists in Node. */
export interface EnvironmentListener {
  readonly onOnline: () => void
  readonly onOffline: () => void
  /** The page goes into the back/forward cache, where no socket lives. */
  readonly onHide: () => void
  /** The page can be seen again: after a sleep the line may be dead without knowing it. */
  readonly onShow: () => void
}

/** @returns what undoes it */
export function observeEnvironment({
  onOnline,
  onOffline,
  onHide,
  onShow,
}: EnvironmentListener): () => void {
  if (typeof document === 'undefined') return () => undefined
  const undo = new AbortController()
  const { signal } = undo
  addEventListener('online', onOnline, { signal })
  addEventListener('offline', onOffline, { signal })
  addEventListener('pagehide', onHide, { signal })
  addEventListener(
    'pageshow',
    ({ persisted }) => {
      if (persisted) onShow()
    },
    { signal },
  )
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') onShow()
    },
    { signal },
  )
  return () => {
    undo.abort()
  }
}
