/**
 * Browsers skip the rendering of cards out of view (`content-visibility`), which makes a page of a thousand cards fast and
 * leaves holes in a screenshot of the whole page. Once a page with few cards is idle, its browser renders all of them.
 */
import { cardStyles } from './card.styles.ts'

/** With so many cards rendered, a change of all at once takes a few frames at most. */
const FEW = 300
/** The page counts as idle after so many ms without a new or removed card. */
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
    // WebKit has no `requestIdleCallback`.
    toggle()
  }
}

/** Adds or removes one rule of the sheet that all cards of the page share. */
function toggle(): void {
  if (isWhole === cards <= FEW) return
  isWhole = !isWhole
  try {
    const sheet = cardStyles.styleSheet
    if (isWhole) sheet?.insertRule(RULE, sheet.cssRules.length)
    else sheet?.deleteRule(sheet.cssRules.length - 1)
  } catch {
    // In a browser without constructed style sheets the holes stay; nothing else depends on the rule.
  }
}
