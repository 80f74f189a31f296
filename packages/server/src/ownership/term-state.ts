/**
 * The states of one term of supervision as a pure function: the renewals of the lease, and what this node has read about
 * its rows, decide whether it may claim connections, dial them, and inherit those of nodes that are gone.
 *
 *   joining ──renewed──────────▶ keeping ──renewed, lapsed──▶ doubting
 *      │                            ▲                            ▲ │
 *      │                            └──verified after the lapse──┼─┘
 *      └──renewed, lapsed────────────────────────────────────────┘
 *   joining, keeping, doubting ──drained──▶ draining
 *
 * joining    this node has no lease yet: it claims nothing and dials nothing
 * keeping    this node claims its share and dials what it owns
 * doubting   the lease had ended, so other nodes may have claimed rows of this node: it claims nothing and dials nothing
 *            until it has read which rows are still its own; what is open stays open
 * draining   this node hands its connections over, or closes them: it claims nothing and dials nothing
 *
 * In `keeping`, a node whose own lease has ended, or could not be renewed at once, does not inherit rows for one TTL: what
 * has kept it from renewing its lease may have kept the other nodes, too, so their ended leases prove nothing.
 */
import { elapsedMs } from './instant.ts'
import type { Instant } from './instant.ts'

interface Renewing {
  /** The other nodes that may keep connections. */
  readonly others: ReadonlySet<string>
  /** Since when this node inherits no rows of other nodes; `null`: it may inherit. */
  readonly abstainsSince: Instant | null
}

export type TermState =
  | { readonly kind: 'joining' }
  | ({
      readonly kind: 'keeping'
      /** When this node has last read all its rows; `null`: it has to read them again. */
      readonly verifiedAt: Instant | null
      readonly isVerifying: boolean
    } & Renewing)
  | ({
      readonly kind: 'doubting'
      /** `outdated`: it began before the lease ended, so its result proves nothing. */
      readonly verification: 'none' | 'running' | 'outdated'
    } & Renewing)
  | { readonly kind: 'draining' }

export type TermEvent =
  /** The lease is renewed; `lapsed`, `missed`: see `Renewed` in renewal.ts. */
  | {
      readonly kind: 'renewed'
      readonly lapsed: boolean
      readonly missed: boolean
      readonly others: readonly string[]
    }
  /** This node may have missed calls of other nodes; `isLive`: whether the lease is valid at this moment. */
  | { readonly kind: 'callsMissed'; readonly isLive: boolean }
  /** This node has read all its rows, and has closed connections that it does not own any more. */
  | { readonly kind: 'verified' }
  /** A glance has shown that no row of this node was written by another node. */
  | { readonly kind: 'upToDate' }
  /** The rows could not be read. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'drained' }

/**
 * What the term has to do: call the other nodes, so that they hand over a share to this one; allow or forbid dials; read
 * all rows of this node, or first compare their sum; claim or hand over until this node has its share.
 */
export type TermEffect = 'introduce' | 'grant' | 'revoke' | 'verify' | 'glance' | 'balance'

export interface TermContext {
  readonly now: Instant
  readonly ttlMs: number
}

export type TermStep = readonly [state: TermState, effects: readonly TermEffect[]]

type Keeping = Extract<TermState, { kind: 'keeping' }>
type Doubting = Extract<TermState, { kind: 'doubting' }>
type Renewed = Extract<TermEvent, { kind: 'renewed' }>

/** After this time a node reads all its rows, whatever the glances between have shown. */
const VERIFY_MS = 30_000

export const JOINING: TermState = { kind: 'joining' }
const DRAINING: TermState = { kind: 'draining' }

export function step(state: TermState, event: TermEvent, context: TermContext): TermStep {
  if (event.kind === 'drained') return [DRAINING, state.kind === 'draining' ? [] : ['revoke']]
  switch (state.kind) {
    case 'joining':
      return event.kind === 'renewed' ? join(event, context) : [state, []]
    case 'keeping':
      return keep(state, event, context)
    case 'doubting':
      return doubt(state, event, context)
    case 'draining':
      return [state, []]
  }
}

/** Whether this node may claim rows that have no owner. */
export function mayClaim(state: TermState): boolean {
  return state.kind === 'keeping'
}

/** Whether this node may also claim rows of owners whose lease has ended. */
export function mayInherit(state: TermState): boolean {
  return state.kind === 'keeping' && state.abstainsSince === null
}

/** Whether another node is alive and keeps what it owns. */
export function isAlive(state: TermState, ownerId: string): boolean {
  return 'others' in state && state.others.has(ownerId)
}

function join({ lapsed, missed, others }: Renewed, { now }: TermContext): TermStep {
  const renewing = { others: new Set(others), abstainsSince: lapsed || missed ? now : null }
  return lapsed
    ? [
        { kind: 'doubting', ...renewing, verification: 'running' },
        ['introduce', 'revoke', 'verify'],
      ]
    : [
        { kind: 'keeping', ...renewing, verifiedAt: null, isVerifying: true },
        ['introduce', 'grant', 'verify'],
      ]
}

function keep(state: Keeping, event: TermEvent, context: TermContext): TermStep {
  switch (event.kind) {
    case 'renewed':
      return event.lapsed ? lapse(state, event, context) : renew(state, event, context)
    case 'callsMissed': {
      const due: Keeping = { ...state, verifiedAt: null }
      return event.isLive ? look(due, context) : [due, []]
    }
    case 'verified':
      return [{ ...state, verifiedAt: context.now, isVerifying: false }, ['grant', 'balance']]
    case 'upToDate':
    case 'unreadable':
      return [{ ...state, isVerifying: false }, []]
    case 'drained':
      return [DRAINING, ['revoke']]
  }
}

function renew(state: Keeping, event: Renewed, context: TermContext): TermStep {
  const renewing = renewed(state, event, context)
  const mayInheritNow = state.abstainsSince !== null && renewing.abstainsSince === null
  const changed = state.others.symmetricDifference(renewing.others).size > 0
  const verifiedAt = mayInheritNow || changed ? null : state.verifiedAt
  return look({ ...state, ...renewing, verifiedAt }, context)
}

/** Reads what is due; one read at a time. */
function look(state: Keeping, { now }: TermContext): TermStep {
  if (state.isVerifying) return [state, ['grant']]
  const isDue = state.verifiedAt === null || elapsedMs(state.verifiedAt, now) >= VERIFY_MS
  return [{ ...state, isVerifying: true }, ['grant', isDue ? 'verify' : 'glance']]
}

function lapse(state: Keeping, { others }: Renewed, { now }: TermContext): TermStep {
  const renewing = { others: new Set(others), abstainsSince: now }
  return state.isVerifying
    ? [{ kind: 'doubting', ...renewing, verification: 'outdated' }, ['revoke']]
    : [{ kind: 'doubting', ...renewing, verification: 'running' }, ['revoke', 'verify']]
}

function doubt(state: Doubting, event: TermEvent, context: TermContext): TermStep {
  switch (event.kind) {
    case 'renewed': {
      const outdated = event.lapsed && state.verification === 'running'
      const next: Doubting = {
        ...state,
        ...renewed(state, event, context),
        ...(outdated ? { verification: 'outdated' } : {}),
      }
      return verify(next)
    }
    case 'callsMissed':
      return event.isLive ? verify(state) : [state, []]
    case 'verified': {
      if (state.verification !== 'running') return [{ ...state, verification: 'none' }, []]
      const { others, abstainsSince } = state
      return [
        { kind: 'keeping', others, abstainsSince, verifiedAt: context.now, isVerifying: false },
        ['grant', 'balance'],
      ]
    }
    case 'upToDate':
    case 'unreadable':
      return [{ ...state, verification: 'none' }, []]
    case 'drained':
      return [DRAINING, ['revoke']]
  }
}

function verify(state: Doubting): TermStep {
  if (state.verification !== 'none') return [state, []]
  return [{ ...state, verification: 'running' }, ['verify']]
}

function renewed(
  { abstainsSince }: Renewing,
  { lapsed, missed, others }: Renewed,
  { now, ttlMs }: TermContext,
): Renewing {
  const isOver = abstainsSince !== null && elapsedMs(abstainsSince, now) >= ttlMs
  return {
    others: new Set(others),
    abstainsSince: lapsed || missed ? now : isOver ? null : abstainsSince,
  }
}
