/** One run with a fixed seed, and one with a random seed. `SEED=…` repeats the latter. */
import { until } from '@mqtt-status/testing/until'
import { expect, onTestFailed, test } from 'vitest'
import { Ordeal } from './ordeal.ts'
import { timersNow } from './world.ts'

const FIXED = 309_739_956
const RANDOM = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const LASTS_MS = 12_000

test(
  `every page ends with the rows of the table, had no lower revision, and was live only with current rows (seeds ${FIXED}, ${RANDOM})`,
  { timeout: 120_000 },
  async () => {
    const timers = timersNow()
    const ordeals = await Promise.all([FIXED, RANDOM].map((seed) => Ordeal.prepare(seed)))
    onTestFailed(() => {
      for (const { seed, diary } of ordeals) console.log(`Seed ${seed}\n${diary.join('\n')}`)
    })
    const runs = await Promise.allSettled(ordeals.map((ordeal) => ordeal.run(LASTS_MS)))
    await Promise.all(ordeals.map((ordeal) => ordeal.end()))
    expect(runs.filter(({ status }) => status === 'rejected')).toEqual([])
    await until(() => timersNow() <= timers, { what: 'all timers to be gone' })
  },
)
