import { REASONS } from '@mqtt-status/protocol'
import type { Reason } from '@mqtt-status/protocol'
import { pick, randomFrom } from '@mqtt-status/testing/random'
import { expect, test } from 'vitest'
import { partyOf } from '../reasons/attribution.ts'
import type { Step } from '../reasons/attribution.ts'
import { HostGate } from './host-gate.ts'
import type { Pass } from './host-gate.ts'
import type { Failure } from '../reasons/failure.ts'

const NEVER = new AbortController().signal
const REFUSED: Failure = { reason: 'connection_refused', detail: 'of the host', code: null }
const RESET: Failure = { reason: 'connection_reset', detail: 'of one row', code: null }
const WRONG: Failure = { reason: 'bad_credentials', detail: null, code: 4 }
const BUSY: Failure = { reason: 'server_busy', detail: 'of one row', code: 137 }

function isPass(result: Pass | Failure | null): result is Pass {
  return result !== null && 'accepted' in result
}

interface Crowd {
  readonly inside: Pass[]
  readonly refused: Failure[]
}

/** So many rows of a site ask; what has entered, and what was refused, so far. */
function crowd(gate: HostGate, count: number, site = 's1'): Crowd {
  const seen: Crowd = { inside: [], refused: [] }
  for (let i = 0; i < count; i++)
    void gate.enter(NEVER, { site, urgent: false }).then((result) => {
      if (isPass(result)) seen.inside.push(result)
      else if (result !== null) seen.refused.push(result)
    })
  return seen
}

async function enter(gate: HostGate, site = 's1'): Promise<Pass> {
  const pass = await gate.enter(NEVER, { site, urgent: false })
  if (!isPass(pass)) throw new Error('It was refused')
  return pass
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('a host that accepts dials gets more of them at the same time, up to its share', async () => {
  const gate = new HostGate({ most: 20, probeMs: 100 })
  const { inside } = crowd(gate, 100)
  await settle()
  expect(inside).toHaveLength(8)
  for (let i = 0; i < 12; i++) {
    inside[i]?.accepted()
    await settle()
  }
  // Twelve have left, and twenty are under way.
  expect(inside).toHaveLength(12 + 20)
})

test('one refusal answers all waiting dials, and no dial begins before the next probe', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const { inside, refused } = crowd(gate, 1_000)
  await settle()
  inside[0]?.failed(REFUSED, 'tcp')
  for (let i = 0; i < 20; i++) await settle()
  expect(refused).toHaveLength(992)
  expect(inside).toHaveLength(8)
  expect(await gate.enter(NEVER, { site: 's2', urgent: true })).toEqual(REFUSED)
})

test('a host that is down gets one probe at a time; the first CONNACK wakes all dials that wait for a retry', async () => {
  const gate = new HostGate({ most: 20, probeMs: 0 })
  const pass = await enter(gate)
  pass.failed(REFUSED, 'tcp')
  let woken = 0
  for (let i = 0; i < 300; i++) gate.onceBack(() => woken++)
  const { inside } = crowd(gate, 50)
  await settle()
  const before = inside.length
  expect(before).toBe(1)
  inside[0]?.accepted()
  await settle()
  expect(woken).toBe(300)
  expect(inside.length).toBeGreaterThan(before)
})

test('a TLS failure opens the gate of a host that refused, and not of a broker that closed connections', async () => {
  for (const [failure, step, wakes] of [
    [REFUSED, 'tcp', 1],
    [RESET, 'connack', 0],
  ] as const) {
    const gate = new HostGate({ most: 20, probeMs: 0 })
    const { inside } = crowd(gate, 3)
    await settle()
    for (const pass of inside) pass.failed(failure, step)
    let woken = 0
    gate.onceBack(() => woken++)
    const probe = await enter(gate)
    probe.failed({ reason: 'tls_hostname', detail: null, code: null }, 'tls')
    await settle()
    expect(woken, failure.reason).toBe(wakes)
  }
})

test('a broker that accepts no client is down after three failures, and each row keeps its own detail', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const { inside, refused } = crowd(gate, 100)
  await settle()
  inside[0]?.failed(RESET, 'connack')
  inside[1]?.failed(BUSY, 'connack')
  await settle()
  expect(refused).toHaveLength(0)
  inside[2]?.failed(BUSY, 'connack')
  await settle()
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]).toEqual({ reason: 'server_busy', detail: null, code: 137 })
})

test('after a refusal of one row in MQTT later failures are not attributed to the broker', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const { inside, refused } = crowd(gate, 100)
  await settle()
  inside[0]?.failed(WRONG, 'connack')
  for (let i = 1; i < 60; i++) {
    inside[i]?.failed(RESET, 'connack')
    await settle()
  }
  expect(refused).toHaveLength(0)
  expect(gate.answers).toBe(true)
})

test('server_busy does not show that the broker works, however often it comes', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000, recentMs: 0 })
  ;(await enter(gate)).accepted()
  const kept = crowd(gate, 10)
  await settle()
  // The one connection that is up has seen to it so far.
  for (const pass of kept.inside.slice(0, 5)) pass.failed(BUSY, 'connack')
  expect(gate.answers).toBe(true)
  expect(kept.refused).toHaveLength(0)
})

test('without a connection that is up or was accepted recently, failures are attributed to the broker again', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000, recentMs: 0 })
  const up = await enter(gate)
  up.accepted()
  expect(gate.answers).toBe(true)
  up.over()
  expect(gate.answers).toBe(false)
  const { inside, refused } = crowd(gate, 20)
  await settle()
  for (const pass of inside.slice(0, 3)) pass.failed(RESET, 'connack')
  await settle()
  expect(refused.length).toBeGreaterThan(0)
})

test.each([
  'local_resources',
  'local_ports_exhausted',
  'config_invalid',
  'address_blocked',
  'secret_unreadable',
] as const)('%s of this server never closes the gate, however often it happens', async (reason) => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const { inside, refused } = crowd(gate, 100)
  for (let i = 0; i < 50; i++) {
    await settle()
    inside[i]?.failed({ reason, detail: null, code: null }, 'tcp')
  }
  await settle()
  expect(refused).toHaveLength(0)
  // Eight at a time, as before.
  expect(inside).toHaveLength(50 + 8)
})

test('a site whose dials hang leaves a place for another one, and gives all places back where the broker answers', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const hanging = crowd(gate, 500, 'a')
  await settle()
  expect(hanging.inside).toHaveLength(8)
  const good = crowd(gate, 1, 'b')
  await settle()
  good.inside[0]?.accepted()
  const more = crowd(gate, 3, 'b')
  await settle()
  for (const pass of hanging.inside.slice(0, 8)) pass.overdue()
  await settle()
  expect(more.inside).toHaveLength(3)
})

test('sites take turns, and urgent dials come first', async () => {
  const gate = new HostGate({ most: 1, probeMs: 10_000 })
  const order: string[] = []
  const passes: Pass[] = []
  const ask = (site: string, urgent = false): void => {
    void gate.enter(NEVER, { site, urgent }).then((pass) => {
      order.push(`${site}${urgent ? '!' : ''}`)
      if (isPass(pass)) passes.push(pass)
    })
  }
  for (let i = 0; i < 4; i++) ask('a')
  for (let i = 0; i < 2; i++) ask('b')
  await settle()
  ask('a', true)
  for (let i = 0; i < 7; i++) {
    passes[i]?.over()
    await settle()
  }
  expect(order).toEqual(['a', 'b', 'a!', 'b', 'a', 'a', 'a'])
})

test('the gate drops a dial whose signal is aborted', async () => {
  const gate = new HostGate({ most: 1, probeMs: 100 })
  const passes = [await enter(gate, 'a'), await enter(gate, 'b')]
  const controller = new AbortController()
  const waiting = gate.enter(controller.signal, { site: 'a', urgent: false })
  controller.abort()
  expect(await waiting).toBeNull()
  for (const pass of passes) pass.over()
  expect(gate.isIdle).toBe(true)
})

const STEPS: readonly Step[] = [
  'settings',
  'lookup',
  'tcp',
  'tls',
  'websocket',
  'connack',
  'suback',
]
const ROW_FAULTS = (Object.keys(REASONS) as Reason[]).flatMap((reason) =>
  STEPS.filter((step) => partyOf({ reason, step, answered: true }) === 'row').map((step) => ({
    reason,
    step,
  })),
)

test(`property: ${ROW_FAULTS.length} faults of rows in any order close no gate, wake no dial and reach no other row`, async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed)
    const gate = new HostGate({ most: 20, probeMs: 10_000 })
    ;(await enter(gate)).accepted()
    let woken = 0
    gate.onceBack(() => woken++)
    const { inside, refused } = crowd(gate, 400)
    for (let done = 0; done < 400;) {
      await settle()
      expect(inside.length).toBeGreaterThan(done)
      const pass = inside[done++]
      if (random() < 0.1) pass?.accepted()
      else {
        const { reason, step } = pick(random, ROW_FAULTS)
        pass?.failed({ reason, detail: 'of one row', code: null }, step)
      }
    }
    expect(refused, `seed ${seed}`).toHaveLength(0)
    expect(woken, `seed ${seed}`).toBe(0)
  }
})
