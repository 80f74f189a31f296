/**
 * The address of a server, resolved against the page's address, with a slash at the end.
 *
 * @throws when it is no address, or a relative one where there is no page
 */
export function absolute(address: string): string {
  const base = (globalThis.document as Document | undefined)?.baseURI
  const url = parsed(address, base) ?? refuse(address)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url.href
}

/** @throws also for a bare host name: it would resolve to a folder beside the page, and lacks its scheme */
export function serverAddress(src: string): string {
  if (!/^(https?:|[./])/i.test(src)) refuse(src)
  return absolute(src)
}

function parsed(address: string, base: string | undefined): URL | null {
  try {
    return new URL(address, base)
  } catch {
    return null
  }
}

function refuse(address: string): never {
  throw new Error(
    `mqtt-status: "${address}" is no address: src has to be absolute (https://…), or begin with / or . on a page; where there is none, as on a server that renders, only absolute ones do.`,
  )
}
