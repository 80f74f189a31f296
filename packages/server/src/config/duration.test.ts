import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

test.each([
  ['45', 45, '45s'],
  ['90s', 90, '1m 30s'],
  ['30m', 1_800, '30m'],
  ['12h', 43_200, '12h'],
  [' 7d ', 604_800, '7d'],
  ['25h', 90_000, '1d 1h'],
])('%s is %d s, and is written %s', (text, seconds, written) => {
  expect(parseDuration(text)).toBe(seconds)
  expect(formatDuration(seconds)).toBe(written)
})

test.each(['', '0', '0d', '-1s', '1.5h', '1w', '7 d', 'h', '9999999999s', 'soon'])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeNull()
  },
)
