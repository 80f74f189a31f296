import { REASONS } from '@mqtt-status/protocol'
import type { Reason } from '@mqtt-status/protocol'
import { expect, test } from 'vitest'
import { isAnswer, partyOf, reachesHost } from './attribution.ts'
import type { Party, Step } from './attribution.ts'

const STEPS: readonly Step[] = [
  'settings',
  'lookup',
  'tcp',
  'tls',
  'websocket',
  'connack',
  'suback',
  'up',
]

/** What a dial met, where the reason says it itself. */
const FIXED: Readonly<Partial<Record<Party, readonly Reason[]>>> = {
  names: ['dns_not_found', 'dns_temporary'],
  host: ['connection_refused', 'host_unreachable'],
  network: ['keepalive_timeout'],
  machine: ['local_resources', 'local_ports_exhausted'],
}

/** Reasons that say nothing of whose fault it is: the step does, and whether the broker has accepted others. */
const BY_STEP: ReadonlySet<Reason> = new Set<Reason>([
  'connect_timeout',
  'connection_reset',
  'network_error',
  'closed_by_broker',
  'tls_handshake',
  'websocket_refused',
  'not_mqtt',
  'server_unavailable',
  'server_busy',
  'server_shutting_down',
  'rate_exceeded',
])

/** Whose fault those are, before and after the broker has accepted a connection. */
const AT_STEP: Readonly<Record<Step, readonly [silent: Party, answering: Party]>> = {
  settings: ['row', 'row'],
  lookup: ['names', 'names'],
  tcp: ['host', 'host'],
  tls: ['broker', 'row'],
  websocket: ['broker', 'row'],
  connack: ['broker', 'row'],
  suback: ['row', 'row'],
  up: ['row', 'row'],
}

function expected(reason: Reason, step: Step, answered: boolean): Party {
  for (const [party, reasons] of Object.entries(FIXED))
    if (reasons.includes(reason)) return party as Party
  if (BY_STEP.has(reason)) return AT_STEP[step][answered ? 1 : 0]
  return 'row'
}

const CASES = (Object.keys(REASONS) as Reason[]).flatMap((reason) =>
  STEPS.flatMap((step) => [false, true].map((answered) => ({ reason, step, answered }))),
)

test(`every reason at every step has a party: ${CASES.length} cases`, () => {
  for (const { reason, step, answered } of CASES) {
    const party = partyOf({ reason, step, answered })
    expect(party, `${reason} at ${step}, ${answered ? 'answered' : 'not answered'}`).toBe(
      expected(reason, step, answered),
    )
  }
})

test('after CONNACK no failure is attributed to the broker, its host or its name', () => {
  for (const step of ['suback', 'up'] as const)
    for (const reason of BY_STEP) expect(partyOf({ reason, step, answered: true })).toBe('row')
})

test('refusals that concern the row are attributed to it, whether or not the broker has accepted others', () => {
  const own: readonly Reason[] = [
    'bad_credentials',
    'not_authorized',
    'client_id_rejected',
    'client_id_conflict',
    'session_taken_over',
    'banned',
    'tls_client_cert',
    'subscription_denied',
    'quota',
  ]
  for (const reason of own)
    for (const step of STEPS)
      for (const answered of [false, true]) expect(partyOf({ reason, step, answered })).toBe('row')
})

test('a refusal in MQTT about the row shows that the broker works; one about the broker, or none in MQTT, does not', () => {
  expect(isAnswer({ reason: 'bad_credentials', code: 4 })).toBe(true)
  expect(isAnswer({ reason: 'not_authorized', code: null }), '403 of a web server').toBe(false)
  expect(isAnswer({ reason: 'server_unavailable', code: 3 })).toBe(false)
  expect(isAnswer({ reason: 'server_busy', code: 137 })).toBe(false)
})

test('a failure after TCP shows that a program listens at the port', () => {
  expect(STEPS.filter(reachesHost)).toEqual(['tls', 'websocket', 'connack', 'suback', 'up'])
})
