/**
 * Computes the state of the device behind a connection, as pure functions. The status of the connection says whether the broker
 * is reachable, and never whether the device is. When the connection is lost, the device is `stale`, not `offline`.
 *
 * The first rule that applies decides: no message and no signal yet → unknown; connection down → stale; a signal of the
 * device (availability topic, Sparkplug) → online or offline; the age of its last message → online or stale.
 */
import type { DeviceState } from '@mqtt-status/protocol'
import * as v from 'valibot'
import { DIAL_SCHEMAS, INITIAL_DIAL } from '../../model/connection/settings.ts'
import type { DialSettings } from '../session/dial-settings.ts'
import { readSparkplug, sparkplugFilters } from './sparkplug.ts'
import type { SparkplugEvent } from './sparkplug.ts'

/** The topics that carry signals of the device, and the longest interval between two messages of a healthy device. */
export type DeviceRules = Pick<DialSettings, 'availability' | 'sparkplug' | 'expectedIntervalS'>

const { availability, sparkplug, expectedIntervalS } = DIAL_SCHEMAS

/** The rules of a connection whose row sets none of them. */
export const NO_RULES: DeviceRules = v.parse(
  v.object({ availability, sparkplug, expectedIntervalS }),
  INITIAL_DIAL,
)

export interface DeviceMemory {
  readonly up: boolean
  /** The time of the last message, by the clock of the caller; `null`: none yet. */
  readonly lastMessageMs: number | null
  /** The last signal of the device since this connection is up. */
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

/** A device that sends no message for this many expected intervals is stale. */
const INTERVALS = 3

/** The memory of a node that takes a connection over: it knows the time of the last message only. */
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
      // The server misses signals while the connection is down, so an earlier signal proves nothing.
      return remember(memory.lastMessageMs)
    case 'message': {
      const { memory: heard, byDevice } = hear(memory, event, rules)
      // A retained message and a last will come from the broker, so they do not show that the device is alive.
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

/** All topic filters to subscribe to: those of the row, and those that carry signals. */
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
  /** Whether the device has sent the message. The broker sends last wills and deaths. */
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
  // Sparkplug forbids retained births and deaths, so a retained one is out of date.
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
    // The birth of a node does not say whether the devices behind it are online.
    signal: ofNode === isNode ? 'online' : memory.signal,
  }
}

function dead(memory: DeviceMemory, { ofNode, bdSeq }: SparkplugEvent): DeviceMemory {
  const ofAnotherBirth = ofNode && bdSeq !== null && memory.bdSeq !== null && bdSeq !== memory.bdSeq
  return ofAnotherBirth ? memory : { ...memory, signal: 'offline' }
}
