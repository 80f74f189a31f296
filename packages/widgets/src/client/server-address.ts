/**
 * As the page resolves it, always with a slash at the end.
 *
 * @throws when it is no address, or where there is no page to resolve it
 */
export function absolute(address: string): string {
  const base = (globalThis.document as Document | undefined)?.baseURI
  const url = parsed(address, base) ?? refuse(address)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url.href
}

/** @throws also for a name alone: it would be a folder beside the page, and is a scheme that was forgotten */
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
