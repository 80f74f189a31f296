/**
 * Schedules the rendering of elements. On a page with a thousand cards the visible ones render first; the others follow in
 * slices, between which the page handles input. On a page with up to `AT_ONCE` elements all render at once.
 */

/** How many elements render within the task in which they request an update. */
const AT_ONCE = 24
/** The length of a slice, and of the pause after it, in ms. */
const SLICE_MS = 8
const PAUSE_MS = 4
/** Slices begin after so many ms. The browser reports visible elements within two frames, or never if it draws nothing. */
const SEEN_MS = 50

const waiting = new Map<Element, () => void>()
let drawn = 0
let printing = false
let timer: ReturnType<typeof setTimeout> | undefined
/** `null` where the browser has no `IntersectionObserver`: then all elements render in slices. */
let seen: IntersectionObserver | null | undefined

/** Calls `draw` now, or later: then the promise resolves with it, or rejects with what `draw` throws. */
export function takeTurn(element: Element, draw: () => void): Promise<undefined> | undefined {
  if (seen === undefined) seen = watchPage()
  if (drawn < AT_ONCE || printing || document.hidden) {
    if (drawn++ === 0) setTimeout(endBurst)
    draw()
    return undefined
  }
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  waiting.set(element, () => {
    try {
      draw()
      resolve(undefined)
    } catch (error) {
      reject(error)
    }
  })
  seen?.observe(element)
  timer ??= setTimeout(drawSlice, SEEN_MS)
  return promise
}

function endBurst(): void {
  drawn = 0
}

function drawSlice(): void {
  const until = performance.now() + SLICE_MS
  // Elements that have left the page come last.
  const { here = [], gone = [] } = Object.groupBy(waiting.keys(), ({ isConnected }) =>
    isConnected ? 'here' : 'gone',
  )
  for (const element of here.length > 0 ? here : gone) {
    drawWaiting(element)
    if (performance.now() >= until) break
  }
  timer = waiting.size > 0 ? setTimeout(drawSlice, PAUSE_MS) : undefined
}

function drawWaiting(element: Element): void {
  const draw = waiting.get(element)
  waiting.delete(element)
  seen?.unobserve(element)
  draw?.()
}

/** Before printing, and on a hidden page, whose timers the browser throttles to minutes. */
function drawAll(): void {
  for (const element of waiting.keys()) drawWaiting(element)
}

function watchPage(): IntersectionObserver | null {
  // In the capture phase, before the page's own listeners: elements that they change render at once.
  addEventListener(
    'beforeprint',
    () => {
      printing = true
      drawAll()
    },
    { capture: true },
  )
  addEventListener('afterprint', () => {
    printing = false
  })
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) drawAll()
  })
  try {
    return new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) drawWaiting(target)
    })
  } catch {
    return null
  }
}
