/**
 * The page's one live region. It lives in the page itself, because regions inside shadow roots are not read
 * reliably, and it is made on first use.
 */

const REGION = 'mqtt-status-announcer'
/** Long enough for every screen reader to have picked the message up. */
const KEEP_MS = 10_000

/** Says something politely to screen readers, in the given language. */
export function announce(message: string, lang: string): void {
  const region = findRegion()
  const line = document.createElement('p')
  line.lang = lang
  line.textContent = message
  // A fresh node per message: the same words twice in a row are news too.
  region.append(line)
  setTimeout(() => {
    line.remove()
  }, KEEP_MS)
}

function findRegion(): Element {
  // Whatever is behind a modal dialog is mute.
  const home = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body
  const known = home.querySelector(`:scope > #${REGION}`)
  if (known) return known
  const region = document.createElement('div')
  region.id = REGION
  region.role = 'status'
  region.ariaLive = 'polite'
  // Properties, not a style attribute: those pass a strict content security policy.
  Object.assign(region.style, {
    position: 'absolute',
    inlineSize: '1px',
    blockSize: '1px',
    overflow: 'hidden',
    clipPath: 'inset(50%)',
    whiteSpace: 'nowrap',
  })
  home.append(region)
  return region
}
