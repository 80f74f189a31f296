/** Events of the page around the client. In Node there is only the sleep of the machine. */
export type Happening = 'online' | 'offline' | 'pause' | 'resume'

/** After `freeze` and `pagehide` (back/forward cache) the browser closes sockets. */
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
 * @param pauseHiddenMs the client pauses after the page was hidden for so long; 0 = never
 * @returns the undo function
 */
export function observeEnvironment(
  report: (happening: Happening) => void,
  { pauseHiddenMs, now }: { pauseHiddenMs: number; now: () => number },
): () => void {
  const page = globalThis.document as Document | undefined
  const undo = new AbortController()
  const options = { signal: undo.signal, capture: true }
  let hiding: ReturnType<typeof setTimeout> | undefined
  let tickedMs = now()

  const seen = (): void => {
    clearTimeout(hiding)
    if (!page?.hidden) report('resume')
    else if (pauseHiddenMs > 0) {
      hiding = setTimeout(() => {
        report('pause')
      }, pauseHiddenMs)
    }
  }
  // A clock jumps after sleep, or when it is set. In both cases the transport may be dead.
  const tick = setInterval(() => {
    const missedMs = now() - tickedMs - TICK_MS
    tickedMs = now()
    if (Math.abs(missedMs) > TICK_MS && !page?.hidden) report('resume')
  }, TICK_MS)

  if (page) {
    for (const [type, happening] of Object.entries(EVENTS)) {
      addEventListener(
        type,
        () => {
          report(happening)
        },
        options,
      )
    }
    addEventListener('visibilitychange', seen, options)
    if (page.hidden) seen()
    // Only `false` counts: some environments have no such property.
    if ((navigator as Partial<Navigator>).onLine === false) report('offline')
  }
  return () => {
    undo.abort()
    clearTimeout(hiding)
    clearInterval(tick)
  }
}
