import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { StatusError } from '../../errors.ts'
import { KeyRing } from './key-ring.ts'
import type { SecretKey } from '../../config/values.ts'

const PLACE = { connectionId: 'plant-7', field: 'password' }

function key(id: string): SecretKey {
  return { id, key: createSecretKey(randomBytes(32)) }
}

test('what was encrypted is read again, and looks different every time', () => {
  const ring = new KeyRing([key('k1')])
  const sealed = ring.seal(PLACE, 'hünter2')
  expect(ring.open(PLACE, sealed)).toEqual({ text: 'hünter2' })
  expect(sealed.nonce).toHaveLength(12)
  expect(ring.seal(PLACE, 'hünter2').ciphertext).not.toEqual(sealed.ciphertext)
})

test('the first key encrypts, all decrypt', () => {
  const former = key('k1')
  const sealed = new KeyRing([former]).seal(PLACE, 'hunter2')
  const ring = new KeyRing([key('k2'), former])
  expect(ring.open(PLACE, sealed)).toEqual({ text: 'hunter2' })
  expect(ring.seal(PLACE, 'hunter2').keyId).toBe('k2')
})

test('a secret of one place is none of another, and an altered one is none at all', () => {
  const ring = new KeyRing([key('k1')])
  const sealed = ring.seal(PLACE, 'hunter2')
  const why = { why: expect.stringContaining('does not fit') as string }
  expect(ring.open({ ...PLACE, connectionId: 'plant-8' }, sealed)).toEqual(why)
  expect(ring.open({ ...PLACE, field: 'tls.key' }, sealed)).toEqual(why)
  for (const part of ['nonce', 'ciphertext', 'tag'] as const) {
    const altered = Buffer.from(sealed[part])
    altered[0] = (altered[0] ?? 0) ^ 1
    expect(ring.open(PLACE, { ...sealed, [part]: altered })).toEqual(why)
  }
  expect(ring.open(PLACE, { ...sealed, tag: sealed.tag.subarray(0, 4) })).toEqual(why)
})

test('a missing key is named, a wrong one of the same name is noticed', () => {
  const sealed = new KeyRing([key('k1')]).seal(PLACE, 'hunter2')
  expect(new KeyRing([key('k2')]).open(PLACE, sealed)).toEqual({
    why: expect.stringContaining('"k1"') as string,
  })
  expect(new KeyRing([key('k1')]).open(PLACE, sealed)).toHaveProperty('why')
})

test('without a key the server encrypts nothing, and generates no key', () => {
  const ring = new KeyRing([])
  expect(ring.first).toBeNull()
  expect(() => ring.seal(PLACE, 'hunter2')).toThrow(StatusError)
})
