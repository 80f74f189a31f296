import { CAPABILITIES } from '@mqtt-status/protocol'
import type { Capability } from '@mqtt-status/protocol'
import { jwtVerify, SignJWT } from 'jose'
import * as v from 'valibot'
import type { AuthConfig } from '../config/config.ts'
import { formatDuration } from '../config/duration.ts'
import { StatusError } from '../errors.ts'
import { createScope, OPEN } from './scope.ts'
import type { Names, Scope } from './scope.ts'

/** Verifies a token and returns its scope. Throws a StatusError `unauthorized` with the reason in words. */
export type Verify = (token: string | null) => Promise<Scope>

/** Times in seconds reach this number in the year 5138; times in milliseconds have exceeded it since 1973. */
const MILLISECONDS_FROM = 100_000_000_000

/** Clocks of portal and server differ; the tolerance counts when a token is verified, and not for its expiry afterwards. */
const CLOCK_TOLERANCE_S = 10

const NAMES = `has to be "*" or a list of texts, such as ["7"]; not [7], and not "7"`
const TEXT = 'has to be a text'
const SECONDS = 'has to be a number of seconds since 1970'

const names = v.optional(v.union([v.literal('*'), v.array(v.string())], NAMES), [])

const claims = v.object({
  sub: v.optional(v.string(TEXT)),
  sites: names,
  connections: names,
  scope: v.optional(
    v.string('has to be one text of words with spaces between them, such as "view control"'),
    'view',
  ),
  exp: v.number(SECONDS),
  iat: v.optional(v.number(SECONDS)),
})

export function createVerify(settings: AuthConfig): Verify {
  if (settings.kind === 'open') return () => Promise.resolve(OPEN)
  const key = new TextEncoder().encode(settings.secret)
  const options = {
    algorithms: ['HS256'],
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp'],
    ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
    ...(settings.audience === undefined ? {} : { audience: settings.audience }),
  }
  return async (token) => {
    if (token === null || token === '')
      throw new StatusError('unauthorized', 'A token is required.')
    const payload = await verified(token, key, options)
    refuseMilliseconds(payload)
    const parsed = v.safeParse(claims, payload)
    if (!parsed.success) {
      const [issue] = parsed.issues
      throw new StatusError(
        'unauthorized',
        `The token's claim "${v.getDotPath(issue) ?? ''}" ${issue.message}.`,
      )
    }
    refuseLong(parsed.output, settings.maxTtlS)
    return toScope(parsed.output)
  }
}

/** JavaScript counts in milliseconds, tokens in seconds (RFC 7519, 2): a token in milliseconds would never expire. */
function refuseMilliseconds(payload: unknown): void {
  const { exp } = payload as { readonly exp?: unknown }
  if (typeof exp !== 'number' || exp < MILLISECONDS_FROM) return
  throw new StatusError(
    'unauthorized',
    'The token\'s claim "exp" looks like milliseconds since 1970, but it counts seconds: divide it by 1,000.',
  )
}

/** @throws StatusError where a token is valid for longer than `maxTtlS` from now, or from its `iat` */
function refuseLong({ exp, iat }: v.InferOutput<typeof claims>, maxTtlS: number): void {
  const nowS = Date.now() / 1_000
  const lastsS = exp - Math.min(nowS, iat ?? nowS)
  if (lastsS <= maxTtlS + CLOCK_TOLERANCE_S) return
  throw new StatusError(
    'unauthorized',
    `The token is valid for ${formatDuration(lastsS)}, this server accepts ${formatDuration(maxTtlS)} at most: let it end sooner and renew it, or raise AUTH_MAX_TTL.`,
  )
}

async function verified(
  token: string,
  key: Uint8Array,
  options: Parameters<typeof jwtVerify>[2],
): Promise<unknown> {
  try {
    return (await jwtVerify(token, key, options)).payload
  } catch (cause) {
    // The messages of jose name the claim or the check that failed, never the token.
    const why = cause instanceof Error ? cause.message : 'it can not be read'
    throw new StatusError('unauthorized', `The token is not valid: ${why}.`, { cause })
  }
}

function toScope(payload: v.InferOutput<typeof claims>): Scope {
  const words = new Set(payload.scope.split(' ').filter((word) => word !== ''))
  const known = new Set<string>(CAPABILITIES)
  return createScope({
    subject: payload.sub ?? null,
    sites: toNames(payload.sites),
    connections: toNames(payload.connections),
    can: CAPABILITIES.filter((word) => words.has(word)),
    unknownScope: [...words.difference(known)].slice(0, SHOWN_WORDS).map(abridged),
    expiresAt: payload.exp * 1_000,
  })
}

/** `welcome` names the unknown words; a long claim must not make it long. */
const SHOWN_WORDS = 10
const SHOWN_LETTERS = 40

function abridged(word: string): string {
  return word.length > SHOWN_LETTERS ? `${word.slice(0, SHOWN_LETTERS)}…` : word
}

function toNames(value: '*' | readonly string[]): Names {
  // A "*" in a list counts as "*", because no site has this name.
  return value === '*' || value.includes('*') ? '*' : new Set(value)
}

export interface TokenRequest {
  readonly subject: string
  readonly sites: '*' | readonly string[]
  readonly connections: '*' | readonly string[]
  readonly can: readonly Capability[]
  readonly lifetimeS: number
}

/** Signs a token with the secret of the server. */
export function mintToken(
  settings: Extract<AuthConfig, { kind: 'secret' }>,
  { subject, sites, connections, can, lifetimeS }: TokenRequest,
): Promise<string> {
  const token = new SignJWT({ sites, connections, scope: can.join(' ') })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${lifetimeS}s`)
  if (settings.issuer !== undefined) token.setIssuer(settings.issuer)
  if (settings.audience !== undefined) token.setAudience(settings.audience)
  return token.sign(new TextEncoder().encode(settings.secret))
}
