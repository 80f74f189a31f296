import { expect, test } from 'vitest'
import { CALM } from './failures.ts'
import type { LinkCause, LinkState } from './failures.ts'
import type { LinkPhase } from './link-state.ts'
import { firstView, heard, isMending, nextView } from './link-view.ts'
import type { Shown } from './link-view.ts'

const NOW = { serverMs: 50_000, offsetMs: 1_000 }
const DIALLED = { attempt: 0, trouble: CALM } as const
const LIVE: LinkPhase = { ...DIALLED, kind: 'live', sinceMs: 0, feedStale: false }
const REFUSED = { state: 'forbidden', cause: null } as const
const BLOCKED = { state: null, cause: 'blocked' } as const

/** [state and cause before the link was ever live, after it was, whether a live page hides it at first] */
const TABLE: readonly [LinkPhase, LinkState, LinkState, LinkCause | null, boolean][] = [
  [{ kind: 'idle' }, 'stale', 'stale', null, false],
  [{ kind: 'offline' }, 'offline', 'offline', null, false],
  [{ kind: 'paused', trouble: CALM }, 'connecting', 'stale', null, true],
  [{ kind: 'paused', trouble: REFUSED }, 'forbidden', 'forbidden', null, false],
  [{ ...DIALLED, kind: 'opening', refused: false }, 'connecting', 'stale', null, true],
  [
    { kind: 'opening', attempt: 1, refused: false, trouble: BLOCKED },
    'connecting',
    'stale',
    'blocked',
    true,
  ],
  [{ ...DIALLED, kind: 'open', feedStale: false }, 'connecting', 'stale', null, true],
  [{ ...DIALLED, kind: 'open', feedStale: true }, 'connecting', 'stale', 'server_error', true],
  [LIVE, 'live', 'live', null, false],
  [{ ...LIVE, feedStale: true }, 'stale', 'stale', 'server_error', false],
  [
    { ...DIALLED, kind: 'waiting', refused: false, untilMs: 60_000 },
    'connecting',
    'stale',
    null,
    true,
  ],
  [
    { kind: 'waiting', attempt: 1, refused: false, untilMs: 60_000, trouble: REFUSED },
    'forbidden',
    'forbidden',
    null,
    false,
  ],
]

const FRESH = firstView(10_000)
const WAS_LIVE = nextView({ ...FRESH, phase: LIVE }, { serverMs: 20_000, offsetMs: 0 })

test.each(TABLE)('%j: %s, or %s after the link was live', (...row) => {
  const [phase, first, later, cause, hidden] = row
  const show = (shown: Shown): Shown => nextView({ ...shown, phase }, NOW)
  const retryAt = phase.kind === 'waiting' ? 61_000 : null
  expect(show(FRESH).link).toMatchObject({ state: first, cause, retryAt })
  expect(show(WAS_LIVE).link).toMatchObject({ state: later, cause, retryAt })
  expect(isMending({ ...WAS_LIVE, phase })).toBe(hidden)
  expect(isMending({ ...FRESH, phase })).toBe(false)
  // The same phase again changes nothing.
  const once = show(WAS_LIVE)
  expect(show(once).link).toBe(once.link)
})

test('a loss has the time of the last message before it, and a state keeps its time', () => {
  const later = heard(WAS_LIVE, 45_000)
  const lost = nextView({ ...later, phase: { ...DIALLED, kind: 'opening', refused: false } }, NOW)
  expect(lost.link).toMatchObject({ state: 'stale', since: 45_000 })
  expect(heard(lost, 49_000).trueAt).toBe(45_000)
  const waiting: LinkPhase = { ...DIALLED, kind: 'waiting', refused: false, untilMs: 60_000 }
  expect(nextView({ ...lost, phase: waiting }, NOW).link.since).toBe(45_000)
  expect(nextView({ ...lost, phase: LIVE }, NOW).link.since).toBe(50_000)
})

test('after a stop and a start the link counts as never live', () => {
  const idle = nextView({ ...WAS_LIVE, phase: { kind: 'idle' } }, NOW)
  const opening: LinkPhase = { ...DIALLED, kind: 'opening', refused: false }
  expect(nextView({ ...idle, phase: opening }, NOW).link.state).toBe('connecting')
})
