/**
 * Cards out of view are not drawn (`content-visibility`), which makes a page of a thousand cards fast and leaves holes
 * in a screenshot of the whole page. Once a page with few cards is idle, its browser draws all of them.
 */
import { cardStyles } from './card.styles.ts'

/** Up to here a change of all cards at once costs less than a few frames when all of them are drawn. */
const FEW = 300
/** For how long no card has come or gone, in ms. */
const QUIET_MS = 1_000

const RULE = '.card { content-visibility: visible }'

let cards = 0
let timer: ReturnType<typeof setTimeout> | undefined
let isWhole = false

/** A card has come to the page (1) or left it (-1). */
export function countCard(by: 1 | -1): void {
  cards += by
  if (isWhole && cards > FEW) toggle()
  clearTimeout(timer)
  timer = isWhole || cards === 0 || cards > FEW ? undefined : setTimeout(draw, QUIET_MS)
}

function draw(): void {
  try {
    requestIdleCallback(toggle)
  } catch {
    // WebKit has none.
    toggle()
  }
}

/** One rule in the sheet that all cards of the page share. */
function toggle(): void {
  if (isWhole === cards <= FEW) return
  isWhole = !isWhole
  try {
    const sheet = cardStyles.styleSheet
    if (isWhole) sheet?.insertRule(RULE, sheet.cssRules.length)
    else sheet?.deleteRule(sheet.cssRules.length - 1)
  } catch {
    // A browser that makes or changes no sheets leaves the holes; nothing else depends on the rule.
  }
}
