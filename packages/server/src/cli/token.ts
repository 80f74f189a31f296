import { CAPABILITIES } from '@mqtt-status/protocol'
import type { Capability } from '@mqtt-status/protocol'
import { mintToken } from '../auth/tokens.ts'
import { readAuth } from '../config/config.ts'
import { formatDuration, parseDuration } from '../config/duration.ts'
import { SetupError } from '../errors.ts'
import type { Edge } from './edge.ts'

export interface TokenOptions {
  readonly sub: string
  readonly sites?: string
  readonly connections?: string
  readonly scope: string
  readonly expires: string
}

/** Signs a token with the secret of the server, and prints nothing but the token, so that a shell can substitute it. */
export async function token(edge: Edge, options: TokenOptions): Promise<void> {
  const sites = names(options.sites)
  const connections = names(options.connections)
  if (sites.length === 0 && connections.length === 0)
    throw new SetupError(
      'Such a token would see nothing.\n  Say what it may see: --sites "*", --sites site-1,site-2 or --connections plant-7.',
    )
  const auth = readAuth(edge.environment)
  if (auth.kind === 'open')
    throw new SetupError(
      'AUTH_JWT_SECRET is not set: there is nothing to sign with.\n  Set it to the secret of the server, 32 bytes or more.',
    )
  edge.print(
    await mintToken(auth, {
      subject: options.sub,
      sites,
      connections,
      can: capabilities(options.scope),
      lifetimeS: lifetime(options.expires, auth.maxTtlS),
    }),
  )
}

function names(text = ''): '*' | string[] {
  const list = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return list.includes('*') ? '*' : list
}

function capabilities(text: string): Capability[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const unknown = words.filter((word) => !CAPABILITIES.some((known) => known === word))
  if (unknown.length > 0 || words.length === 0)
    throw new SetupError(
      `--scope: found "${text}", expected one or more of ${CAPABILITIES.join(', ')}.`,
    )
  return CAPABILITIES.filter((known) => words.includes(known))
}

function lifetime(text: string, maxS: number): number {
  const seconds = parseDuration(text)
  if (seconds === null)
    throw new SetupError(`--expires: found "${text}", expected a duration like 30m, 12h or 7d.`)
  if (seconds > maxS) {
    const most = formatDuration(maxS)
    throw new SetupError(
      `--expires: found "${text}", but the server refuses tokens that are valid for more than ${most}.\n  Ask for ${most} or less, or raise AUTH_MAX_TTL, here and for the server.`,
    )
  }
  return seconds
}
