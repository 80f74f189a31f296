/** What happens to the page around the client; in Node only the machine can fall asleep. */
export type Happening = 'online' | 'offline' | 'pause' | 'resume'

/** `freeze` and `pagehide` (back/forward cache): no socket lives there. */
const EVENTS = {
  online: 'online',
  offline: 'offline',
  pagehide: 'pause',
  freeze: 'pause',
  pageshow: 'resume',
  resume: 'resume',
} as const

const TICK_MS = 5_000

/**
 * @param pauseHiddenMs a page that is hidden for so long is paused; 0 = never
 * @returns what undoes it
 */
export function observeEnvironment(
  tell: (happening: Happening) => void,
  { pauseHiddenMs, now }: { pauseHiddenMs: number; now: () => number },
): () => void {
  const page = globalThis.document as Document | undefined
  const undo = new AbortController()
  const options = { signal: undo.signal, capture: true }
  let hiding: ReturnType<typeof setTimeout> | undefined
  let tickedMs = now()

  const seen = (): void => {
    clearTimeout(hiding)
    if (!page?.hidden) tell('resume')
    else if (pauseHiddenMs > 0) {
      hiding = setTimeout(() => {
        tell('pause')
      }, pauseHiddenMs)
    }
  }
  // A clock that jumps has been asleep, or was set: either way nothing is known of the line.
  const tick = setInterval(() => {
    const missedMs = now() - tickedMs - TICK_MS
    tickedMs = now()
    if (Math.abs(missedMs) > TICK_MS && !page?.hidden) tell('resume')
  }, TICK_MS)

  if (page) {
    for (const [type, happening] of Object.entries(EVENTS)) {
      addEventListener(
        type,
        () => {
          tell(happening)
        },
        options,
      )
    }
    addEventListener('visibilitychange', seen, options)
    if (page.hidden) seen()
    // Only a clear no: not every environment knows.
    if ((navigator as Partial<Navigator>).onLine === false) tell('offline')
  }
  return () => {
    undo.abort()
    clearTimeout(hiding)
    clearInterval(tick)
  }
}
