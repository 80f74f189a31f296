import { expect, test } from 'vitest'
import { byeFrame } from './greetings.ts'

function windowOf(...bye: Parameters<typeof byeFrame>): unknown {
  return (JSON.parse(byeFrame(...bye).json) as { reconnectAfterMs: unknown }).reconnectAfterMs
}

test('the server spreads reconnects over the time that a fleet needs only where it closes all streams', () => {
  expect(windowOf('shutdown', 6_000)).toEqual([800, 10_800])
  expect(windowOf('resync', 600_000)).toEqual([800, 60_800])
  expect(windowOf('rebalance', 600_000)).toEqual([800, 2_000])
  expect(windowOf('token_expired', 600_000)).toEqual([800, 2_000])
})
