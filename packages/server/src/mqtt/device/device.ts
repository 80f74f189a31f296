/**
 * What is known of the device behind a connection, as pure functions. The connection says whether the broker is there,
 * never whether the device is: the two are kept apart, and a lost connection only means that nothing is known (stale).
 *
 * In this order: never seen and no signal → unknown; connection down → stale; what the device has said of itself
 * (availability topic, Sparkplug) → online or offline; else by the age of its last message → online or stale.
 */
import type { DeviceState } from '@mqtt-status/protocol'
import type { DialSettings } from '../session/settings.ts'
import { readSparkplug, sparkplugFilters } from './sparkplug.ts'
import type { SparkplugEvent } from './sparkplug.ts'

/** Where to look for signals, and how long silence is normal. */
export type DeviceRules = Pick<DialSettings, 'availability' | 'sparkplug' | 'expectedIntervalS'>

/** Before the settings are known, nothing is heard either. */
export const NO_RULES: DeviceRules = { availability: null, sparkplug: null, expectedIntervalS: 300 }

export interface DeviceMemory {
  readonly up: boolean
  /** By the clock of the caller; `null`: never. */
  readonly lastMessageMs: number | null
  /** What the device has said of itself while this connection is up. */
  readonly signal: 'online' | 'offline' | null
  /** The number of the last Sparkplug birth. */
  readonly bdSeq: number | null
}

export type DeviceEvent =
  | { readonly kind: 'opened' }
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'message'
      readonly topic: string
      readonly payload: Buffer
      readonly retained: boolean
    }

/** Silence of this many expected intervals is too long. */
const INTERVALS = 3

/** What is remembered when a connection is taken over: the time of the last message, and nothing else. */
export function remember(lastMessageMs: number | null): DeviceMemory {
  return { up: false, lastMessageMs, signal: null, bdSeq: null }
}

export function observe(
  memory: DeviceMemory,
  event: DeviceEvent,
  { rules, nowMs }: { readonly rules: DeviceRules; readonly nowMs: number },
): DeviceMemory {
  switch (event.kind) {
    case 'opened':
      return { ...memory, up: true }
    case 'lost':
      // Whatever is said meanwhile is missed, so what was said before counts no more.
      return remember(memory.lastMessageMs)
    case 'message': {
      const { memory: heard, byDevice } = hear(memory, event, rules)
      // A message that the broker kept, or sends in the name of the dead, is no sign of life.
      return byDevice && !event.retained ? { ...heard, lastMessageMs: nowMs } : heard
    }
  }
}

export function deviceState(
  { up, lastMessageMs, signal }: DeviceMemory,
  { rules, nowMs }: { readonly rules: DeviceRules; readonly nowMs: number },
): DeviceState {
  if (lastMessageMs === null && signal === null) return 'unknown'
  if (!up) return 'stale'
  if (signal !== null) return signal
  const longestMs = rules.expectedIntervalS * INTERVALS * 1_000
  return lastMessageMs !== null && nowMs - lastMessageMs < longestMs ? 'online' : 'stale'
}

/** All topics to subscribe: those that were asked for, and those that signals come on. */
export function filtersOf({
  topics,
  availability,
  sparkplug,
}: Pick<DialSettings, 'topics' | 'availability' | 'sparkplug'>): string[] {
  return [
    ...new Set([
      ...topics,
      ...(availability === null ? [] : [availability.topic]),
      ...(sparkplug === null ? [] : sparkplugFilters(sparkplug)),
    ]),
  ]
}

interface Heard {
  readonly memory: DeviceMemory
  /** Whether the device has sent it: what tells of its end is sent by the broker. */
  readonly byDevice: boolean
}

function hear(
  memory: DeviceMemory,
  { topic, payload, retained }: Extract<DeviceEvent, { kind: 'message' }>,
  { availability, sparkplug }: DeviceRules,
): Heard {
  if (availability !== null && topic === availability.topic) {
    const said = payload.toString()
    if (said === availability.offline)
      return { memory: { ...memory, signal: 'offline' }, byDevice: false }
    return {
      memory: said === availability.online ? { ...memory, signal: 'online' } : memory,
      byDevice: true,
    }
  }
  // Sparkplug forbids keeping births and deaths; one that was kept anyway is of another time.
  const event = sparkplug === null || retained ? null : readSparkplug(sparkplug, topic, payload)
  if (sparkplug === null || event === null) return { memory, byDevice: true }
  return event.kind === 'birth'
    ? { memory: born(memory, event, sparkplug.device === null), byDevice: true }
    : { memory: dead(memory, event), byDevice: !event.ofNode }
}

function born(
  memory: DeviceMemory,
  { ofNode, bdSeq }: SparkplugEvent,
  isNode: boolean,
): DeviceMemory {
  return {
    ...memory,
    bdSeq: ofNode ? bdSeq : memory.bdSeq,
    // A node that is born says nothing yet of the devices behind it.
    signal: ofNode === isNode ? 'online' : memory.signal,
  }
}

function dead(memory: DeviceMemory, { ofNode, bdSeq }: SparkplugEvent): DeviceMemory {
  const ofAnotherBirth = ofNode && bdSeq !== null && memory.bdSeq !== null && bdSeq !== memory.bdSeq
  return ofAnotherBirth ? memory : { ...memory, signal: 'offline' }
}
