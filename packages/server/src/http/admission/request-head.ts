/** Normalizes the heads of requests, in every form that RFC 9112 allows. */
import type { IncomingMessage } from 'node:http'

/** `host` or `host:port`, where the host is a name, an IPv4 address or an IPv6 address in brackets. */
const AUTHORITY = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i

/** The target of a request: its path with the query, and `authority`, the host of an absolute target. */
export interface Target {
  readonly path: string
  readonly authority: string | null
}

/** Parses a target: a path, an absolute address (RFC 9112, 3.2.2), or `*` for the whole server. */
function parseTarget(target: string, basePath: string): Target {
  if (target === '*') return { path: basePath, authority: null }
  const [, authority, rest = ''] = ABSOLUTE.exec(target) ?? []
  if (authority === undefined) return { path: target, authority: null }
  return { path: rest.startsWith('/') ? rest : `/${rest}`, authority }
}

/** Rewrites the request to origin form: its URL becomes a path, and its Host header the host of the target. */
export function toOriginForm(request: IncomingMessage, basePath: string): void {
  const { path, authority } = parseTarget(request.url ?? '/', basePath)
  request.url = path
  if (authority !== null) request.headers.host = authority
}

/** The path without its query and without a slash at its end. */
export function pathOf(request: IncomingMessage, basePath: string): string {
  const { path } = parseTarget(request.url ?? '/', basePath)
  return (path.split('?')[0] ?? '').replace(/\/$/, '')
}

/** @returns a sentence about an invalid Host header (RFC 9112, 3.2); `null` if the header is valid */
export function hostFault({ headers, rawHeaders, httpVersion }: IncomingMessage): string | null {
  const { host } = headers
  if (rawHeaders.filter((name, index) => index % 2 === 0 && /^host$/i.test(name)).length > 1)
    return 'A request has one Host header only.'
  // HTTP/1.0 does not require a Host header.
  if (host === undefined)
    return httpVersion === '1.0' ? null : `A request of HTTP/${httpVersion} needs a Host header.`
  return host === '' || AUTHORITY.test(host)
    ? null
    : 'The host of a request is a name or an address, with or without a port.'
}

/** @returns the head of a request without its upgrade, for the HTTP server to parse again (RFC 9110, 7.8) */
export function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    const kept = /^connection$/i.test(name) ? withoutToken(value) : value
    if (!/^upgrade$/i.test(name) && kept !== null) lines.push(`${name}: ${kept}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function withoutToken(connection: string): string | null {
  const kept = connection.split(',').filter((token) => !/^\s*upgrade\s*$/i.test(token))
  return kept.length === 0 ? null : kept.join(',').trim()
}
