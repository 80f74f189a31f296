import { expect, test } from 'vitest'
import { deviceState, filtersOf, NO_RULES, observe, remember } from './device.ts'
import type { DeviceEvent, DeviceMemory, DeviceRules } from './device.ts'
import { readBdSeq } from './sparkplug.ts'

const NODE: DeviceRules = { ...NO_RULES, sparkplug: { group: 'G', node: 'N', device: null } }
const DEVICE: DeviceRules = { ...NO_RULES, sparkplug: { group: 'G', node: 'N', device: 'D' } }
const LWT: DeviceRules = {
  ...NO_RULES,
  availability: { topic: 'plant/7/status', online: 'up', offline: 'down' },
}
const OPENED: DeviceEvent = { kind: 'opened' }
const LOST: DeviceEvent = { kind: 'lost' }

function message(topic: string, payload: string | Buffer = '', retained = false): DeviceEvent {
  return { kind: 'message', topic, payload: Buffer.from(payload), retained }
}

/** A payload of Sparkplug B: a timestamp, another metric, and `bdSeq` as the number that is given. */
function sparkplug(bdSeq: number): Buffer {
  const metric = (name: string, value: number): number[] => {
    const body = [0x0a, name.length, ...Buffer.from(name), 0x20, 0x04, 0x58, ...varint(value)]
    return [0x12, body.length, ...body]
  }
  return Buffer.from([
    0x08,
    ...varint(1_790_000_000_000),
    ...metric('Temp', 7),
    ...metric('bdSeq', bdSeq),
    0x18,
    0x00,
  ])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** Feeds events a second apart, and answers what the device was after each. */
function play(
  rules: DeviceRules,
  events: readonly (DeviceEvent | number)[],
  memory: DeviceMemory = remember(null),
): string[] {
  let nowMs = 0
  const states: string[] = []
  for (const event of events) {
    nowMs += typeof event === 'number' ? event : 1_000
    if (typeof event !== 'number') memory = observe(memory, event, { rules, nowMs })
    states.push(deviceState(memory, { rules, nowMs }))
  }
  return states
}

test('a device without a message is unknown; after one it is online for three expected intervals, then stale', () => {
  expect(play(NO_RULES, [OPENED, message('a'), 899_000, 1_000])).toEqual([
    'unknown',
    'online',
    'online',
    'stale',
  ])
  expect(play({ ...NO_RULES, expectedIntervalS: 1 }, [OPENED, message('a'), 2_999, 1])).toEqual([
    'unknown',
    'online',
    'online',
    'stale',
  ])
})

test('scenario 19: a retained message does not count as a message of the device', () => {
  expect(play(NO_RULES, [OPENED, message('a', 'x', true)])).toEqual(['unknown', 'unknown'])
})

test('scenario 19: a lost connection makes the device stale, never offline, and drops its last signal', () => {
  expect(play(NO_RULES, [OPENED, message('a'), LOST, OPENED])).toEqual([
    'unknown',
    'online',
    'stale',
    'online',
  ])
  expect(play(LWT, [OPENED, message('plant/7/status', 'down'), LOST, OPENED])).toEqual([
    'unknown',
    'offline',
    'unknown',
    'unknown',
  ])
})

test('scenario 19: the availability topic decides, also with a retained message', () => {
  expect(
    play(LWT, [
      OPENED,
      message('plant/7/status', 'up', true),
      3_600_000,
      message('plant/7/status', 'down'),
      message('plant/7/data'),
      message('plant/7/status', 'nonsense'),
      message('plant/7/status', 'up'),
    ]),
  ).toEqual(['unknown', 'online', 'online', 'offline', 'offline', 'offline', 'online'])
})

test('a last will comes from the broker, so it does not count as a message of the device', () => {
  const context = { rules: LWT, nowMs: 5 }
  const up = observe(remember(null), OPENED, context)
  expect(observe(up, message('plant/7/status', 'down'), context).lastMessageMs).toBeNull()
  expect(observe(up, message('plant/7/status', 'up'), context).lastMessageMs).toBe(5)
})

test('scenario 19: the death of an older birth is ignored, and the death of the last birth is not', () => {
  const birth = (n: number): DeviceEvent => message('spBv1.0/G/NBIRTH/N', sparkplug(n))
  const death = (n: number): DeviceEvent => message('spBv1.0/G/NDEATH/N', sparkplug(n))
  expect(
    play(NODE, [OPENED, birth(41), birth(42), death(41), death(42), birth(300), death(299)]),
  ).toEqual(['unknown', 'online', 'online', 'online', 'offline', 'online', 'online'])
  expect(play(NODE, [OPENED, death(7)])).toEqual(['unknown', 'offline'])
})

test('the death of a node makes its devices offline, and each device needs a birth of its own', () => {
  expect(
    play(DEVICE, [
      OPENED,
      message('spBv1.0/G/NBIRTH/N', sparkplug(1)),
      message('spBv1.0/G/DBIRTH/N/D'),
      message('spBv1.0/G/DDEATH/N/E'),
      message('spBv1.0/G/NDEATH/N', sparkplug(1)),
      message('spBv1.0/G/DBIRTH/N/D'),
      message('spBv1.0/G/DDEATH/N/D'),
    ]),
  ).toEqual(['unknown', 'online', 'online', 'online', 'offline', 'online', 'offline'])
})

test('bdSeq is read from a payload, and bytes of any other kind are no error', () => {
  expect(readBdSeq(sparkplug(0))).toBe(0)
  expect(readBdSeq(sparkplug(255))).toBe(255)
  const whole = sparkplug(9)
  for (let length = 0; length < whole.length - 3; length++)
    expect(() => readBdSeq(whole.subarray(0, length))).not.toThrow()
  expect(readBdSeq(Buffer.from('not protobuf at all'))).toBeNull()
  expect(readBdSeq(Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBeNull()
})

test('the server subscribes to the topics of the row and to those of signals, once each', () => {
  expect(
    filtersOf({
      topics: ['plant/7/status', 'a/#'],
      availability: LWT.availability,
      sparkplug: DEVICE.sparkplug,
    }),
  ).toEqual([
    'plant/7/status',
    'a/#',
    'spBv1.0/G/NBIRTH/N',
    'spBv1.0/G/NDEATH/N',
    'spBv1.0/G/DBIRTH/N/D',
    'spBv1.0/G/DDEATH/N/D',
  ])
})
