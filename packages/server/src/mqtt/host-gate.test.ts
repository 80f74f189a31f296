import { expect, test } from 'vitest'
import { HostGate } from './host-gate.ts'
import type { Pass } from './host-gate.ts'
import type { Failure } from './session-state.ts'

const NEVER = new AbortController().signal
const REFUSED: Failure = { reason: 'connection_refused', detail: null, code: null }
const RESET: Failure = { reason: 'connection_reset', detail: null, code: null }
const WRONG: Failure = { reason: 'bad_credentials', detail: null, code: 4 }

function isPass(result: Pass | Failure | null): result is Pass {
  return result !== null && 'reached' in result
}

/** Everything that a person or a row may ask for; answers what has entered so far. */
function crowd(gate: HostGate, count: number): { inside: Pass[]; refused: Failure[] } {
  const seen: { inside: Pass[]; refused: Failure[] } = { inside: [], refused: [] }
  for (let i = 0; i < count; i++)
    void gate.enter(NEVER, false).then((result) => {
      if (isPass(result)) seen.inside.push(result)
      else if (result !== null) seen.refused.push(result)
    })
  return seen
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('a host that answers gets more dials at the same time, up to its share', async () => {
  const gate = new HostGate({ most: 20, probeMs: 100 })
  const { inside } = crowd(gate, 100)
  await settle()
  expect(inside).toHaveLength(8)
  for (let i = 0; i < 12; i++) {
    inside[i]?.reached()
    await settle()
  }
  // Twelve have left, and twenty are under way.
  expect(inside).toHaveLength(12 + 20)
})

test('one refusal answers all who wait, and nobody dials for a while', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const { inside, refused } = crowd(gate, 1_000)
  await settle()
  inside[0]?.failed(REFUSED)
  await settle()
  for (let i = 0; i < 20; i++) await settle()
  expect(refused).toHaveLength(992)
  expect(inside).toHaveLength(8)
  expect(await gate.enter(NEVER, true)).toEqual(REFUSED)
})

test('after it, one probe at a time; the first that is let in wakes whoever waits for a retry', async () => {
  const gate = new HostGate({ most: 20, probeMs: 0 })
  const pass = await gate.enter(NEVER, false)
  if (isPass(pass)) pass.failed(REFUSED)
  let woken = 0
  for (let i = 0; i < 300; i++) gate.onceBack(() => woken++)
  const { inside } = crowd(gate, 50)
  await settle()
  const before = inside.length
  expect(before).toBe(1)
  inside[0]?.reached()
  await settle()
  expect(woken).toBe(300)
  expect(inside.length).toBeGreaterThan(before)
})

test('one connection that is cut off, or refused for itself, closes the way for nobody', async () => {
  const gate = new HostGate({ most: 20, probeMs: 10_000 })
  const { inside, refused } = crowd(gate, 100)
  await settle()
  inside[0]?.failed(RESET)
  inside[1]?.failed(WRONG)
  inside[2]?.failed(RESET)
  inside[3]?.failed(RESET)
  await settle()
  expect(refused).toHaveLength(0)
  inside[4]?.failed(RESET)
  await settle()
  expect(refused.length).toBeGreaterThan(0)
})

test.each([
  'local_resources',
  'local_ports_exhausted',
  'config_invalid',
  'address_blocked',
  'secret_unreadable',
] as const)(
  '%s of this server closes the way for nobody, however often it comes',
  async (reason) => {
    const gate = new HostGate({ most: 20, probeMs: 10_000 })
    const { inside, refused } = crowd(gate, 100)
    for (let i = 0; i < 50; i++) {
      await settle()
      inside[i]?.failed({ reason, detail: null, code: null })
    }
    await settle()
    expect(refused).toHaveLength(0)
    // Eight at a time, as before.
    expect(inside).toHaveLength(50 + 8)
  },
)

test('who gives up waiting is forgotten', async () => {
  const gate = new HostGate({ most: 1, probeMs: 100 })
  const pass = await gate.enter(NEVER, false)
  const controller = new AbortController()
  const waiting = gate.enter(controller.signal, false)
  controller.abort()
  expect(await waiting).toBeNull()
  if (isPass(pass)) pass.gaveUp()
  expect(gate.isIdle).toBe(true)
})
