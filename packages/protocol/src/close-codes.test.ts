import { expect, test } from 'vitest'
import { CLOSE_CODES, comesBack } from './close-codes.ts'

test('40xx does not come back, everything else does', () => {
  for (const code of Object.values(CLOSE_CODES)) expect(comesBack(code)).toBe(code >= 4100)
  expect([1000, 1001, 1006, 1009, 1011].every(comesBack)).toBe(true)
})
