/** A server that is stopped while it starts, at each step of its start, leaves nothing behind: no lease, session, port or timer. */
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { House } from './house.ts'

const STEPS = 24

let database: TestDatabase
/** How many turns of the event loop a whole start takes. */
let turnsOfStart: number

beforeAll(async () => {
  database = await createDatabase()
  const house = new House(database.url)
  let started = false
  const start = house.server.start().then(() => (started = true))
  for (turnsOfStart = 0; !started; turnsOfStart++) await turn()
  await start
  await house.close()
})

afterAll(async () => {
  await database?.drop()
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test.each(Array.from({ length: STEPS }, (_, step) => ({ step, part: step / (STEPS - 2) })))(
  'stopped after $step of 22 parts of its start',
  async ({ part }) => {
    const house = new House(database.url)
    const start = house.server.start().then(
      () => 'started',
      () => 'given up',
    )
    for (let turns = Math.floor(turnsOfStart * part); turns > 0; turns--) await turn()
    await house.server.stop()
    expect(
      await database.sql`select id from supervisors where lease_expires_at > now()`,
      'leases',
    ).toEqual([])
    // The start has ended before the stop has, so that a process that ends now leaves nothing to others.
    expect(await Promise.race([start, turn().then(() => 'going on')])).not.toBe('going on')
    expect(house.server.supervision).toMatch(/^(starting|stopped)$/)
    await house.close()
  },
)
