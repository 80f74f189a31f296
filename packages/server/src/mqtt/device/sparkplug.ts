/**
 * Reads the part of Sparkplug B that says whether a device is online: births, deaths, and the number `bdSeq`, which links a
 * death to its birth. A death can arrive after the next birth of the same node; its `bdSeq` shows that it is out of date.
 *
 * Of the payload (protobuf, org.eclipse.tahu.protobuf) it reads the metric `bdSeq` only. A birth may carry thousands of metrics,
 * and a full decoder would build an object for each of them from untrusted bytes.
 */
import type { Sparkplug } from '../../model/connection/schemas.ts'

export interface SparkplugEvent {
  readonly kind: 'birth' | 'death'
  /** Whether the message is about the edge node itself; then a death carries the `bdSeq` of its birth. */
  readonly ofNode: boolean
  readonly bdSeq: number | null
}

const NAMESPACE = 'spBv1.0'

/** The topic filters for births and deaths of a device and of its node, or of a node alone. */
export function sparkplugFilters({ group, node, device }: Sparkplug): string[] {
  const ofNode = ['NBIRTH', 'NDEATH'].map((type) => `${NAMESPACE}/${group}/${type}/${node}`)
  if (device === null) return ofNode
  return [
    ...ofNode,
    ...['DBIRTH', 'DDEATH'].map((type) => `${NAMESPACE}/${group}/${type}/${node}/${device}`),
  ]
}

/** @returns the event of a message; `null` if the message is not a birth or death of this device or its node */
export function readSparkplug(
  { group, node, device }: Sparkplug,
  topic: string,
  payload: Uint8Array,
): SparkplugEvent | null {
  const [namespace, itsGroup, type, itsNode, itsDevice] = topic.split('/')
  if (namespace !== NAMESPACE || itsGroup !== group || itsNode !== node) return null
  switch (type) {
    case 'NBIRTH':
    case 'NDEATH':
      return { kind: kindOf(type), ofNode: true, bdSeq: readBdSeq(payload) }
    case 'DBIRTH':
    case 'DDEATH':
      return device !== null && itsDevice === device
        ? { kind: kindOf(type), ofNode: false, bdSeq: null }
        : null
    default:
      return null
  }
}

function kindOf(type: string): 'birth' | 'death' {
  return type.endsWith('BIRTH') ? 'birth' : 'death'
}

/** Field numbers of Payload and of Payload.Metric. */
const METRICS = 2
const NAME = 1
const INT_VALUE = 10
const LONG_VALUE = 11

/** @returns the value of the metric `bdSeq`; `null` if the payload has none or is not a Sparkplug payload */
export function readBdSeq(payload: Uint8Array): number | null {
  for (const field of fields(payload)) {
    if (field.number !== METRICS || !(field.value instanceof Uint8Array)) continue
    let named = false
    let value: number | null = null
    for (const part of fields(field.value)) {
      if (part.number === NAME && part.value instanceof Uint8Array)
        named = Buffer.from(part.value).toString() === 'bdSeq'
      if (
        (part.number === INT_VALUE || part.number === LONG_VALUE) &&
        typeof part.value === 'number'
      )
        value = part.value
    }
    if (named) return value
  }
  return null
}

interface Field {
  readonly number: number
  /** A number for a varint, bytes for a field with a length, `null` for a field of fixed width. */
  readonly value: number | Uint8Array | null
}

/** Yields the fields of one protobuf message, and stops at the first byte that is not valid protobuf. */
function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < bytes.length) {
    const key = varint()
    const number = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        at += 8
        yield { number, value: null }
        break
      case 2: {
        const length = varint()
        if (!(length <= bytes.length - at)) return
        yield { number, value: bytes.subarray(at, at + length) }
        at += length
        break
      }
      case 5:
        at += 4
        yield { number, value: null }
        break
      default:
        return
    }
  }
}
