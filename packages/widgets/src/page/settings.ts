/**
 * The settings of a page for all its elements: the `data-` attributes of `<script data-mqtt-status>` or of the bundle's own
 * script tag, then `<meta name="mqtt-status:src">`, then the server that the bundle was loaded from.
 */

import { absolute } from '../client/server-address.ts'

/** A server with its token settings, which are used for this address only. */
export interface Address {
  readonly src: string
  readonly token?: string
  readonly tokenSrc?: string
}

let bundleUrl: string | null = null

/** Stores the address that the bundle was loaded from. */
export function rememberBundle(url: string): void {
  bundleUrl = url
}

/** The mqtt-status server that serves the bundle at this address; `null` for other servers, for example a public CDN. */
export function serverOfBundle(url: string): string | null {
  return (
    /^(https?:\/\/.*\/)widgets\/(?:\d[^/?#]*\/)?mqtt-status\.js(?:[?#]|$)/.exec(url)?.[1] ?? null
  )
}

/** A `data-` setting of the page's `<script data-mqtt-status>`, or of the script tag that has loaded the bundle. */
export function scriptSetting(name: 'src' | 'token' | 'tokenSrc' | 'lang'): string | undefined {
  // Browsers cache `document.scripts`; a selector without a match would search the whole page for each element.
  const { scripts } = document
  if (own?.among !== scripts.length) {
    if (!own) setTimeout(forgetScript)
    const all = [...scripts]
    const marked = all.find(({ dataset }) => 'mqttStatus' in dataset)
    own = { script: marked ?? all.find(({ src }) => src === bundleUrl), among: scripts.length }
  }
  return own.script?.dataset[name]
}

/** Cached for one task, in which a thousand elements may ask, and as long as the number of scripts stays the same. */
let own: { readonly script: HTMLScriptElement | undefined; readonly among: number } | null = null

function forgetScript(): void {
  own = null
}

/** Whether the page resolves both to the same address. */
export function sameServer(one: string, other: string): boolean {
  return absolute(one) === absolute(other)
}

/** The server that the page's settings name; `null` = they name none. */
export function pageAddress(): Address | null {
  const src = scriptSetting('src')
  if (src) return address(src, scriptSetting('token'), scriptSetting('tokenSrc'))
  const meta = document.getElementsByName('mqtt-status:src')[0]?.getAttribute('content')
  const fallback = meta ?? (bundleUrl && serverOfBundle(bundleUrl))
  return fallback ? address(fallback, scriptSetting('token'), scriptSetting('tokenSrc')) : null
}

/** An address with only the settings that are set. */
export function address(
  src: string,
  token: string | null | undefined,
  tokenSrc: string | null | undefined,
): Address {
  return { src, ...(token ? { token } : {}), ...(tokenSrc ? { tokenSrc } : {}) }
}
