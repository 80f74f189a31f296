import { expect, test } from 'vitest'
import {
  answered,
  closedAt,
  forbids,
  lostAfter,
  NO_SEARCH,
  planOf,
  recall,
} from './filter-search.ts'
import type { FilterSearch } from './filter-search.ts'

const FILTERS = Array.from({ length: 20 }, (_, i) => `t/${i}`)

/** What a broker does to a SUBSCRIBE of a dial. */
type Closes = (asked: readonly string[], dial: number) => boolean

function hunt(
  filters: readonly string[],
  closes: Closes,
): { readonly search: FilterSearch; readonly dials: number } {
  let search = NO_SEARCH
  for (let dials = 1; ; dials++) {
    const { portions } = planOf(filters, search)
    const asked = portions.find((portion) => closes(portion, dials))
    if (asked === undefined) return { search: answered(search), dials }
    const next = closedAt(search, asked, 0)
    if (next === null) return { search: NO_SEARCH, dials }
    search = next
  }
}

/** Every set of at most four filters out of ten, and larger ones of twenty. */
function sets(): readonly (readonly string[])[] {
  const ten = FILTERS.slice(0, 10)
  const small = Array.from({ length: 2 ** ten.length }, (_, bits) =>
    ten.filter((_filter, i) => (bits >> i) & 1),
  ).filter((set) => set.length > 0 && set.length <= 4)
  return [...small, FILTERS.filter((_, i) => i % 2 === 0), FILTERS.slice(3), FILTERS]
}

test(`every forbidden filter is found and no other one, for ${sets().length} sets`, () => {
  for (const forbidden of sets()) {
    const { search, dials } = hunt(FILTERS, (asked) => asked.some((one) => forbidden.includes(one)))
    expect(search.forbidden.toSorted()).toEqual(forbidden.toSorted())
    expect(search.suspects).toEqual([])
    expect(dials).toBeLessThanOrEqual(3 * FILTERS.length + 1)
    const { portions, leftOut } = planOf(FILTERS, search)
    expect([...portions.flat(), ...leftOut].toSorted()).toEqual(FILTERS.toSorted())
    expect(leftOut.toSorted()).toEqual(forbidden.toSorted())
    expect(Math.max(0, ...portions.map((portion) => portion.length))).toBeLessThanOrEqual(8)
  }
})

test.each([1, 2, 3, 4])(
  'a broker that closes %i times and then no more has forbidden nothing of twenty filters',
  (times) => {
    const { search } = hunt(FILTERS, (_asked, dial) => dial <= times)
    expect(search).toEqual(NO_SEARCH)
  },
)

test('a single filter is forbidden when the broker has closed on it twice, not once', () => {
  const once = closedAt(NO_SEARCH, ['t/1'], 0)
  expect(once?.forbidden).toEqual([])
  expect(closedAt(once ?? NO_SEARCH, ['t/1'], 7)).toMatchObject({
    forbidden: ['t/1'],
    foundAtMs: 7,
  })
})

test('what was answered between two closings is not suspected any more', () => {
  const halves = closedAt(NO_SEARCH, FILTERS.slice(0, 8), 0) ?? NO_SEARCH
  // The first half was answered, the broker closed at the second one.
  const second = closedAt(halves, FILTERS.slice(4, 8), 0) ?? NO_SEARCH
  expect(second.suspects).toEqual([FILTERS.slice(4, 6), FILTERS.slice(6, 8)])
})

test('a search ends after too many dials', () => {
  let search: FilterSearch | null = NO_SEARCH
  let dials = 0
  // Never the same filter twice in a row.
  for (; search !== null && dials < 1_000; dials++) search = closedAt(search, [`t/${dials % 2}`], 0)
  expect(dials).toBe(65)
})

test.each([
  ['closed_by_broker', 'suback', true],
  ['connection_reset', 'suback', true],
  ['not_authorized', 'suback', true],
  ['protocol_error', 'suback', true],
  ['connect_timeout', 'suback', false],
  ['server_shutting_down', 'suback', false],
  ['server_busy', 'suback', false],
  ['quota', 'suback', false],
  ['session_taken_over', 'suback', false],
  ['keepalive_timeout', 'suback', false],
  ['closed_by_broker', 'connack', false],
  ['closed_by_broker', 'up', false],
] as const)('%s while %s is waited for: a filter may be forbidden = %s', (reason, step, may) => {
  expect(forbids({ reason, detail: null, code: null }, step, ['t/1'])).toBe(may)
  expect(forbids({ reason, detail: null, code: null }, step, [])).toBe(false)
})

test('what was found is remembered for an hour, and dropped where the connection without it is lost soon', () => {
  const found: FilterSearch = { ...NO_SEARCH, forbidden: ['t/1'], foundAtMs: 0 }
  expect(recall(found, 3_599_999)).toBe(found)
  expect(recall(found, 3_600_000)).toEqual(NO_SEARCH)
  // A search that is under way continues.
  const going = { ...found, suspects: [['t/2']] }
  expect(recall(going, 3_600_000)).toBe(going)
  expect(lostAfter(found, 29_999)).toEqual(NO_SEARCH)
  expect(lostAfter(found, 30_000)).toBe(found)
})
