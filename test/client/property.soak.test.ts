/** Half a minute of faults for each seed, on real timers. `SEED=…` repeats a run, `RUNS=20` makes twenty. */
import { until } from '@mqtt-status/testing/until'
import { onTestFailed, test } from 'vitest'
import { Ordeal } from './ordeal.ts'
import { timersNow } from './world.ts'

const RUNS = Number(process.env['RUNS'] ?? 1)
const FIRST_SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e9))
const LASTS_MS = 30_000

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: every page ends with the rows of the table, had no lower revision, and was live only with current rows',
  { timeout: 150_000 },
  async (seed) => {
    const timers = timersNow()
    const ordeal = await Ordeal.prepare(seed)
    onTestFailed(() => {
      console.log(ordeal.diary.join('\n'))
    })
    try {
      await ordeal.run(LASTS_MS)
    } finally {
      await ordeal.end()
    }
    await until(() => timersNow() <= timers, { what: 'all timers to be gone' })
  },
)
