/** Detects whether the background behind an element is dark, by background colours only. */

/** Dark text is readable on opaque colours from this brightness on (of 255). */
const BRIGHT = 128
const OPAQUE = 200

const known = new Map<string, boolean | null>()

/** `null` = no background colour was found, or a picture covers it, or the colour can't be read. */
export function isDarkBehind(element: Element): boolean | null {
  for (let at = above(element); at; at = above(at)) {
    const { backgroundColor, backgroundImage } = getComputedStyle(at)
    if (backgroundImage !== 'none') return null
    const dark = isDark(backgroundColor)
    if (dark !== null) return dark
  }
  return null
}

function above(element: Element): Element | null {
  const { assignedSlot, parentElement } = element
  if (assignedSlot ?? parentElement) return assignedSlot ?? parentElement
  return (element.getRootNode() as Partial<ShadowRoot>).host ?? null
}

/** A canvas converts every notation of a colour into its channels. */
function isDark(color: string): boolean | null {
  const before = known.get(color)
  if (before !== undefined) return before
  const context = canvas()
  if (!context) return null
  context.fillStyle = color
  context.fillRect(0, 0, 1, 1)
  const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data
  const dark = alpha < OPAQUE ? null : 0.3 * red + 0.59 * green + 0.11 * blue < BRIGHT
  known.set(color, dark)
  return dark
}

function canvas(): OffscreenCanvasRenderingContext2D | null {
  try {
    return new OffscreenCanvas(1, 1).getContext('2d')
  } catch {
    return null
  }
}
