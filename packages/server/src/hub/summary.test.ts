/** Counting only what changed must come to the same as counting everything. */
import { appearance } from '@mqtt-status/protocol'
import type { Connection, Status } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Mirror } from './mirror.ts'
import type { HubScope } from './scope.ts'
import { Summaries } from './summary.ts'

const SCOPES: HubScope[] = [
  { key: 'all', control: true, permits: () => true },
  { key: 's1', control: false, permits: (_, siteId) => siteId === 's1' },
]
const NOW_MS = Date.parse('2026-11-23T19:00:00Z')

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS })
})

afterEach(() => {
  expect(vi.getTimerCount(), 'timers left').toBe(0)
  vi.useRealTimers()
})

interface Change {
  readonly id: string
  readonly siteId: string
  readonly status: Status | 'gone'
  readonly waitMs: number
}

const change: fc.Arbitrary<Change> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  siteId: fc.constantFrom('s1', 's2'),
  status: fc.constantFrom('connected', 'reconnecting', 'failed', 'disconnected', 'gone'),
  waitMs: fc.constantFrom(0, 0, 10_000, 40_000),
})

function counted({ id, siteId, status }: Change, revision: number): Connection {
  return connection({
    id,
    siteId,
    status: status as Status,
    revision,
    since: new Date().toISOString(),
  })
}

function recounted(mirror: Mirror, scope: HubScope, site: string): unknown {
  const rows = [...mirror.rows.values()]
    .map((row) => row.connection)
    .filter((row) => (site === '*' || row.siteId === site) && scope.permits(row.id, row.siteId))
  return {
    type: 'summary',
    site,
    total: rows.length,
    counts: Object.fromEntries(
      Object.entries(Object.groupBy(rows, (row) => row.status)).map(([status, of]) => [
        status,
        of.length,
      ]),
    ),
    attention: rows.filter((row) => appearance(row, Date.now()).attention).length,
  }
}

test('after any changes, the newest summary of each member equals a full count', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const mirror = new Mirror()
      const summaries = new Summaries(mirror, Date.now)
      const joined = SCOPES.flatMap((scope) =>
        ['*', 's1', 's2'].map((site) => {
          const member = { summarise: () => undefined }
          return { scope, site, member, group: summaries.join(member, scope, site) }
        }),
      )
      for (const [index, each] of changes.entries()) {
        const revision = index + 1
        const changed = BigInt(revision)
        const former = mirror.rows.get(each.id)?.connection.siteId ?? each.siteId
        const leaves = each.status === 'gone' || former !== each.siteId
        const touched = mirror.apply({
          kind: 'changes',
          epoch: 'e',
          mark: changed + 1n,
          floor: 0n,
          rows: each.status === 'gone' ? [] : [{ connection: counted(each, revision), changed }],
          tombstones: leaves ? [{ id: each.id, siteId: former, revision, changed }] : [],
        })
        summaries.touch(touched)
        summaries.flush()
        vi.advanceTimersByTime(each.waitMs)
      }
      for (const { scope, site, group } of joined)
        expect(JSON.parse(group.frame?.json ?? 'null')).toEqual(recounted(mirror, scope, site))
      for (const { member, group } of joined) summaries.leave(member, group)
      expect(summaries.size).toBe(0)
    }),
  )
})
