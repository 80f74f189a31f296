/** The catalogue is plain JavaScript for a browser, so no compiler compares its rows with those of the server. */
import { REASONS, STATUSES } from '@mqtt-status/protocol'
import type { Connection } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { expect, test } from 'vitest'
import { readRow } from '../../packages/widgets/src/client/incoming.ts'

interface State {
  readonly row?: Connection
  readonly others?: readonly Connection[]
}

const FILE = new URL(
  '../../packages/server/src/embedded/portal/catalogue/states.js',
  import.meta.url,
)
const { STATES, SEVERAL } = (await import(FILE.href)) as {
  STATES: Record<string, State>
  SEVERAL: State
}
const ROWS = [SEVERAL, ...Object.values(STATES)].flatMap(({ row, others = [] }) =>
  row ? [row, ...others] : others,
)

test('every row of the catalogue has the fields of a row of the server', () => {
  const fields = Object.keys(connection()).toSorted()
  expect(ROWS.length).toBeGreaterThan(STATUSES.length)
  for (const row of ROWS) expect(Object.keys(row).toSorted()).toEqual(fields)
})

test('the client reads every row of the catalogue without a correction', () => {
  for (const row of ROWS) expect(readRow(structuredClone(row))).toEqual(row)
})

test('the catalogue has a row for every status, and no reason that the server does not send', () => {
  const statuses = new Set<string>(ROWS.map(({ status }) => status))
  expect(STATUSES.filter((status) => !statuses.has(status))).toEqual([])
  const reasons = ROWS.flatMap(({ reason }) => reason ?? [])
  expect(reasons.filter((reason) => !(reason in REASONS))).toEqual([])
})
