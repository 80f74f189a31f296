import { createHash } from 'node:crypto'
import type { Capability } from '@mqtt-status/protocol'

/** What the holder of a token may see and do; every subscriber and every request has a scope. */
export interface Scope {
  /** The subject of the token; `null` in open mode. */
  readonly subject: string | null
  readonly can: readonly Capability[]
  /** Words of the token's claim `scope` that this version does not know. */
  readonly unknownScope: readonly string[]
  /** What is wrong with the claims of a valid token, for its developer: why it permits nothing, or less than its words say. */
  readonly notice: string | null
  /** Equal for equal views: tokens that permit the same rows have the same key, and the hub sends them the same frames. */
  readonly key: string
  /** Holders of `control` also see the broker's text and who gave a command. */
  readonly control: boolean
  /** The rows that the holder may see, by site or by id. */
  readonly sites: Names
  readonly connections: Names
  /** When the token expires, in ms since 1970; `null` = never. */
  readonly expiresAt: number | null
  permits(id: string, siteId: string): boolean
}

/** A set of ids; `*` = all. */
export type Names = '*' | ReadonlySet<string>

export interface Grant {
  readonly subject: string | null
  readonly sites: Names
  readonly connections: Names
  readonly can: readonly Capability[]
  readonly unknownScope?: readonly string[]
  readonly expiresAt: number | null
}

export function createScope(grant: Grant): Scope {
  const { subject, sites, connections, can, unknownScope = [], expiresAt } = grant
  const view = can.includes('view')
  const control = can.includes('control')
  return {
    subject,
    can,
    unknownScope,
    notice: noticeOf({ ...grant, unknownScope }),
    control,
    sites,
    connections,
    expiresAt,
    key: keyOf([view, control, list(sites), list(connections)]),
    permits: (id, siteId) => view && (names(sites, siteId) || names(connections, id)),
  }
}

/** The scope of open mode: every program that reaches the port may do everything. */
export const OPEN: Scope = createScope({
  subject: null,
  sites: '*',
  connections: '*',
  can: ['view', 'control', 'manage'],
  expiresAt: null,
})

/** The same rows without the permission to send commands. */
export function viewOnly(scope: Scope): Scope {
  return {
    ...scope,
    can: scope.can.filter((word) => word === 'view'),
    control: false,
    key: `${scope.key}v`,
  }
}

const WORDS = 'Its words are view, control and manage, with spaces between them.'

function noticeOf({ can, sites, connections, unknownScope }: Required<Grant>): string | null {
  const unknown = unknownScope.map((word) => JSON.stringify(word)).join(', ')
  if (!can.includes('view'))
    return `The token permits nothing: its claim "scope" lacks the word "view"${unknown && `, and the server does not know ${unknown}`}. ${WORDS}`
  if (isEmpty(sites) && isEmpty(connections))
    return 'The token permits nothing: it names neither sites nor connections. Add the claim "sites", as a list of ids like ["s1"] or as "*".'
  if (unknown)
    return `The server does not know ${unknown} in the claim "scope" of the token. ${WORDS}`
  return null
}

function isEmpty(named: Names): boolean {
  return named !== '*' && named.size === 0
}

function names(named: Names, value: string): boolean {
  return named === '*' || named.has(value)
}

function list(named: Names): string | readonly string[] {
  return named === '*' ? named : [...named].sort()
}

/** Short, because every cursor contains it; 72 bits, so that two different views have no key in common. */
function keyOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12)
}
