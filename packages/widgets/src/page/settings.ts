/**
 * What the page says once for all elements: the `data-` attributes of `<script data-mqtt-status>` or of the bundle's own
 * script tag, then `<meta name="mqtt-status:src">`, then the server that the bundle itself was loaded from.
 */

import { absolute } from '../client/server-address.ts'

/** A way to reach a server; the token settings belong to this address and to no other. */
export interface Address {
  readonly src: string
  readonly token?: string
  readonly tokenSrc?: string
}

let bundleUrl: string | null = null

/** Remembers where the bundle came from. */
export function rememberBundle(url: string): void {
  bundleUrl = url
}

/** The server that serves the bundle at this address, or `null` if it is none of ours (a public CDN). */
export function serverOfBundle(url: string): string | null {
  return (
    /^(https?:\/\/.*\/)widgets\/(?:\d[^/?#]*\/)?mqtt-status\.js(?:[?#]|$)/.exec(url)?.[1] ?? null
  )
}

/** A `data-` setting of the page's `<script data-mqtt-status>`, or of the script tag that has loaded the bundle. */
export function scriptSetting(name: 'src' | 'token' | 'tokenSrc' | 'lang'): string | undefined {
  // Browsers keep these collections at hand; a selector that finds nothing looks at the whole page for each element.
  const { scripts } = document
  if (own?.among !== scripts.length) {
    if (!own) setTimeout(forgetScript)
    const all = [...scripts]
    const marked = all.find(({ dataset }) => 'mqttStatus' in dataset)
    own = { script: marked ?? all.find(({ src }) => src === bundleUrl), among: scripts.length }
  }
  return own.script?.dataset[name]
}

/** A thousand elements ask within one task: it is looked for again in the next, or when there are more or fewer. */
let own: { readonly script: HTMLScriptElement | undefined; readonly among: number } | null = null

function forgetScript(): void {
  own = null
}

/** Whether both are the same server, as the page resolves them. */
export function sameServer(one: string, other: string): boolean {
  return absolute(one) === absolute(other)
}

/** Where the page as a whole gets its rows from; `null` if it does not say. */
export function pageAddress(): Address | null {
  const src = scriptSetting('src')
  if (src) return address(src, scriptSetting('token'), scriptSetting('tokenSrc'))
  const meta = document.getElementsByName('mqtt-status:src')[0]?.getAttribute('content')
  const fallback = meta ?? (bundleUrl && serverOfBundle(bundleUrl))
  return fallback ? address(fallback, scriptSetting('token'), scriptSetting('tokenSrc')) : null
}

/** Leaves out what is not set. */
export function address(
  src: string,
  token: string | null | undefined,
  tokenSrc: string | null | undefined,
): Address {
  return { src, ...(token ? { token } : {}), ...(tokenSrc ? { tokenSrc } : {}) }
}
