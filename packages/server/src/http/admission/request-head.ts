/** Heads of requests as RFC 9112 allows them, made uniform before anything reads them. */
import type { IncomingMessage } from 'node:http'

/** `host` or `host:port`, where the host is a name, an IPv4 address or an IPv6 address in brackets. */
const AUTHORITY = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i

/** A request asks for a path with its query; `authority` is the host that an absolute target names. */
export interface Target {
  readonly path: string
  readonly authority: string | null
}

/** Reads a target: a path, an absolute address (RFC 9112, 3.2.2), or `*` for the server as a whole. */
function parseTarget(target: string, basePath: string): Target {
  if (target === '*') return { path: basePath, authority: null }
  const [, authority, rest = ''] = ABSOLUTE.exec(target) ?? []
  if (authority === undefined) return { path: target, authority: null }
  return { path: rest.startsWith('/') ? rest : `/${rest}`, authority }
}

/** From now on the request asks for a path, and its Host header is the host that counts. */
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

/** What is wrong with the host of a request (RFC 9112, 3.2); `null` if nothing is. */
export function hostFault({ headers, rawHeaders, httpVersion }: IncomingMessage): string | null {
  const { host } = headers
  if (rawHeaders.filter((name, index) => index % 2 === 0 && /^host$/i.test(name)).length > 1)
    return 'A request has one Host header only.'
  // HTTP/1.0 knows no Host.
  if (host === undefined)
    return httpVersion === '1.0' ? null : `A request of HTTP/${httpVersion} needs a Host header.`
  return host === '' || AUTHORITY.test(host)
    ? null
    : 'The host of a request is a name or an address, with or without a port.'
}

/** The head of a request to be read again, as if it had not asked for another protocol (RFC 9110, 7.8). */
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
