/**
 * Whose turn it is to draw. A page with a thousand cards can be used as soon as those that are seen are drawn; the
 * others follow in slices, between which the page answers. A page with a few never notices.
 */

/** How many draw at once, within the task in which they want to. */
const AT_ONCE = 24
/** How long the others draw in one go, and how long the page then has for itself, in ms. */
const SLICE_MS = 8
const PAUSE_MS = 4
/** The browser says within a frame or two who is seen; where it does not draw at all it never does. */
const SEEN_MS = 50

const waiting = new Map<Element, () => void>()
let drawn = 0
let printing = false
let timer: ReturnType<typeof setTimeout> | undefined
/** `null` where the browser does not tell who is seen: then all draw in slices. */
let seen: IntersectionObserver | null | undefined

/** Draws now, or calls `draw` later and resolves then; rejects with what `draw` throws. */
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
  // Who has left the page comes last: whoever has come instead is waited for.
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

/** Nobody waits on paper; and a hidden page, which the browser calls seldom, would wait for minutes. */
function drawAll(): void {
  for (const element of waiting.keys()) drawWaiting(element)
}

function watchPage(): IntersectionObserver | null {
  // Before all others that prepare for print: what they change is drawn at once then.
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
