import { encode } from '@mqtt-status/testing/scripted-broker'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BrokerFault } from '../reasons/broker-fault.ts'
import { Framing } from './framing.ts'

const LIMITS = { packetBytes: 1_000, packets: 3, chunks: 50 }

function publish(bytes: number, qos: 0 | 1 | 2): Buffer {
  const about = { cmd: 'publish', topic: 't', dup: false, retain: false, messageId: 7 } as const
  return encode({ ...about, qos, payload: Buffer.alloc(bytes) })
}

/** Hands the bytes over in chunks of these lengths, over and over, and returns the slices. */
function slices(bytes: Buffer, lengths: readonly number[], limits = LIMITS): Buffer[] {
  const framing = new Framing(limits)
  const found: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const chunk = bytes.subarray(at, at + (lengths[i % lengths.length] ?? 1))
    for (let from = 0; from < chunk.length;) {
      const end = framing.cut(chunk, from)
      found.push(chunk.subarray(from, end))
      from = end
    }
    at += chunk.length
  }
  return found
}

test('slices are all of the bytes in order, and have three packets at most, however the network cuts them', () => {
  const packets = fc.array(
    fc.oneof(
      fc.record({ bytes: fc.nat(980), qos: fc.constantFrom(0 as const, 1 as const, 2 as const) }),
      fc.constant(null),
    ),
    { minLength: 1, maxLength: 40 },
  )
  const cuts = fc.array(fc.integer({ min: 30, max: 3_000 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(packets, cuts, (list, lengths) => {
      const encoded = list.map((one) =>
        one === null ? encode({ cmd: 'pingresp' }) : publish(one.bytes, one.qos),
      )
      const bytes = Buffer.concat(encoded)
      const found = slices(bytes, lengths)
      expect(Buffer.concat(found).equals(bytes)).toBe(true)
      const ends: number[] = []
      for (const { length } of encoded) ends.push((ends.at(-1) ?? 0) + length)
      let at = 0
      for (const { length } of found) {
        const complete = ends.filter((end) => end > at && end <= at + length)
        expect(complete.length).toBeLessThanOrEqual(LIMITS.packets)
        if (complete.length === LIMITS.packets) expect(complete.at(-1)).toBe(at + length)
        at += length
      }
    }),
    { numRuns: 500, seed: 16 },
  )
})

function fault(bytes: Buffer, lengths: readonly number[] = [1], limits = LIMITS): unknown {
  try {
    slices(bytes, lengths, limits)
  } catch (error) {
    return error instanceof BrokerFault ? error.reasonCode : error
  }
  return null
}

test.each([
  ['a packet as large as the limit', Buffer.from([0x30, 0xe5, 0x07]), null],
  ['a packet one byte larger', Buffer.from([0x30, 0xe6, 0x07]), 149],
  ['a PUBLISH of 256 MB', Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f]), 149],
  ['a SUBACK of 256 MB', Buffer.from([0x90, 0xff, 0xff, 0xff, 0x7f]), 149],
  ['a length of five bytes', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]), 129],
  ['a length of zero in four bytes', Buffer.from([0xd0, 0x80, 0x80, 0x80, 0x00]), null],
] as const)(
  '%s: the header alone decides, in one chunk and byte by byte',
  (_name, header, code) => {
    expect([fault(header), fault(header, [5]), fault(header, [2])]).toEqual([code, code, code])
  },
)

test('a packet that arrives in more chunks than the limit is refused; packets of one chunk are not', () => {
  expect(fault(publish(100, 0))).toBe(129)
  expect(fault(publish(45, 0))).toBeNull()
  expect(fault(Buffer.concat(Array.from({ length: 200 }, () => publish(20, 0))))).toBeNull()
})
