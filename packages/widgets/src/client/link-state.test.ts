import { expect, test } from 'vitest'
import { nextLink } from './link-state.ts'
import type { LinkEvent, LinkPhase } from './link-state.ts'

const NOW = 1_000_000
const MOMENT = { nowMs: NOW, random: 0.5 }

const PHASES = {
  idle: { kind: 'idle' },
  opening: { kind: 'opening', attempt: 2, refused: false },
  asking: { kind: 'opening', attempt: 2, refused: true },
  open: { kind: 'open', attempt: 2 },
  live: { kind: 'live', attempt: 2, sinceMs: NOW - 1_000, feedStale: false },
  stable: { kind: 'live', attempt: 2, sinceMs: NOW - 60_000, feedStale: false },
  waiting: { kind: 'waiting', attempt: 2, untilMs: NOW + 1, refused: false },
  offline: { kind: 'offline', attempt: 0 },
  ended: { kind: 'ended', state: 'forbidden' },
} as const satisfies Record<string, LinkPhase>

function lost(code: number, renewable = false, window: [number, number] | null = null): LinkEvent {
  return { kind: 'lost', code, window, renewable }
}

const EVENTS = {
  start: { kind: 'start' },
  stop: { kind: 'stop' },
  welcomed: { kind: 'welcomed' },
  answered: { kind: 'answered' },
  broken: lost(1006),
  bye: lost(4200, false, [800, 9_000]),
  refused: lost(4001),
  renewable: lost(4001, true),
  forbidden: lost(4003, true),
  version: lost(4006),
  abuse: lost(4029),
  denied: { kind: 'denied' },
  elapsed: { kind: 'elapsed' },
  retry: { kind: 'retry' },
  stale: { kind: 'feed', stale: true },
  online: { kind: 'online' },
  offline: { kind: 'offline' },
} as const satisfies Record<string, LinkEvent>

/** The same for every event that a phase does not care about. */
const ignored = (phase: string): Record<keyof typeof EVENTS, string> =>
  Object.fromEntries(Object.keys(EVENTS).map((event) => [event, phase])) as Record<
    keyof typeof EVENTS,
    string
  >

const dialled = {
  ...ignored(''),
  stop: 'idle: close',
  broken: 'waiting 1000',
  bye: 'waiting 4900',
  refused: 'ended unauthorized: close',
  renewable: 'waiting 0',
  forbidden: 'ended forbidden: close',
  version: 'ended incompatible: close',
  abuse: 'ended unavailable: close',
  offline: 'offline: close',
}

/** What becomes of each phase by each event: the compiler demands every case. */
const TABLE: Record<keyof typeof PHASES, Record<keyof typeof EVENTS, string>> = {
  idle: { ...ignored('idle'), start: 'opening: dial', stop: 'idle: close' },
  opening: {
    ...dialled,
    start: 'opening',
    welcomed: 'open',
    answered: 'opening',
    denied: 'ended unauthorized: close',
    elapsed: 'opening',
    retry: 'opening: close, dial',
    stale: 'opening',
    online: 'opening',
  },
  asking: {
    ...dialled,
    start: 'opening',
    welcomed: 'open',
    answered: 'opening',
    // A second refusal of a new token is no reason to hurry.
    renewable: 'waiting 1000',
    denied: 'ended unauthorized: close',
    elapsed: 'opening',
    retry: 'opening: close, dial',
    stale: 'opening',
    online: 'opening',
  },
  open: {
    ...dialled,
    start: 'open',
    welcomed: 'open',
    answered: 'live',
    denied: 'open',
    elapsed: 'open',
    retry: 'open',
    stale: 'open',
    online: 'open',
  },
  live: {
    ...dialled,
    start: 'live',
    welcomed: 'live',
    answered: 'live',
    denied: 'live',
    elapsed: 'live',
    retry: 'live',
    stale: 'live stale',
    online: 'live',
  },
  stable: {
    ...dialled,
    start: 'live',
    welcomed: 'live',
    answered: 'live',
    // It held for a while: starts again with short waits.
    broken: 'waiting 250',
    denied: 'live',
    elapsed: 'live',
    retry: 'live',
    stale: 'live stale',
    online: 'live',
  },
  waiting: {
    ...ignored('waiting 1'),
    stop: 'idle: close',
    elapsed: 'opening: dial',
    retry: 'opening: close, dial',
    online: 'opening: close, dial',
    offline: 'offline: close',
  },
  offline: {
    ...ignored('offline'),
    stop: 'idle: close',
    retry: 'opening: close, dial',
    online: 'opening: close, dial',
    offline: 'offline: close',
  },
  ended: { ...ignored('ended forbidden'), stop: 'idle: close', retry: 'opening: close, dial' },
}

function told(phase: LinkPhase): string {
  switch (phase.kind) {
    case 'waiting':
      return `waiting ${phase.untilMs - NOW}`
    case 'ended':
      return `ended ${phase.state}`
    case 'live':
      return phase.feedStale ? 'live stale' : 'live'
    default:
      return phase.kind
  }
}

const cases = Object.entries(TABLE).flatMap(([from, row]) =>
  Object.entries(row).map(([event, expected]) => [from, event, expected] as const),
)

test.each(cases)('%s, %s → %s', (from, event, expected) => {
  const [phase, effects] = nextLink(
    PHASES[from as keyof typeof PHASES],
    EVENTS[event as keyof typeof EVENTS],
    MOMENT,
  )
  expect([told(phase), effects.join(', ')].filter(Boolean).join(': ')).toBe(expected)
})
