/**
 * The little of Sparkplug B that tells whether a device is there: births, deaths, and the number that says which birth a
 * death belongs to. A death may come late, after the next birth, and would then lie.
 *
 * Of the payload (protobuf, org.eclipse.tahu.protobuf) only the metric `bdSeq` is read. A birth may carry thousands of
 * metrics; a whole decoder would build objects for all of them, from bytes of a stranger.
 */
import type { Sparkplug } from '../../model/connection/schemas.ts'

export interface SparkplugEvent {
  readonly kind: 'birth' | 'death'
  /** Whether it is about the edge node itself; then a death carries the number of its birth. */
  readonly ofNode: boolean
  readonly bdSeq: number | null
}

const NAMESPACE = 'spBv1.0'

/** The topics on which births and deaths of it come. */
export function sparkplugFilters({ group, node, device }: Sparkplug): string[] {
  const ofNode = ['NBIRTH', 'NDEATH'].map((type) => `${NAMESPACE}/${group}/${type}/${node}`)
  if (device === null) return ofNode
  return [
    ...ofNode,
    ...['DBIRTH', 'DDEATH'].map((type) => `${NAMESPACE}/${group}/${type}/${node}/${device}`),
  ]
}

/** What a message says of it; `null` if it is neither a birth nor a death of it. */
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

/** The value of the metric `bdSeq`; `null` if there is none, or if the bytes are something else. */
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
  /** A number for varints, bytes for what has a length, `null` for fixed widths. */
  readonly value: number | Uint8Array | null
}

/** The fields of one protobuf message; ends where the bytes make no sense. */
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
