import { readFileSync } from 'node:fs'
import { CLOSE_CODES } from '@mqtt-status/protocol'
import { expect, test } from 'vitest'
import { FAILURES, failureOf } from '../../packages/widgets/src/client/failures.ts'
import type { Failure, LinkState } from '../../packages/widgets/src/client/failures.ts'

const PAGE = readFileSync(new URL('../../docs/retries.md', import.meta.url), 'utf8')

/** The rows of the table below a heading: the cells of each, without code marks. */
function rowsOf(heading: string): string[][] {
  const section = PAGE.split(`### ${heading}\n`)[1]?.split(/^##/m)[0] ?? ''
  return (
    section
      .split('\n')
      // Below the line of dashes.
      .slice(
        section.split('\n').findIndex((line) => /^\|[-|]+$/.test(line.replaceAll(' ', ''))) + 1,
      )
      .filter((line) => line.startsWith('| `'))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim().replaceAll('`', '')),
      )
  )
}

/** A cell without a value is a dash. */
function said(value: string | null): string {
  return value ?? '–'
}

test('the docs explain every failure of the page as the code has it', () => {
  const documented = rowsOf('Why the page is not live').map(
    ([failure, , by, ends, retry, state, cause]) => ({ failure, by, ends, retry, state, cause }),
  )
  expect(documented.map(({ failure }) => failure).toSorted()).toEqual(
    Object.keys(FAILURES).toSorted(),
  )
  for (const { failure, cause, ...row } of documented) {
    const { by, ends, retry, state, cause: known } = FAILURES[failure as Failure]
    expect(row, failure).toEqual({ by, ends, retry, state: said(state) })
    // Where the cause depends on the token, the row says how.
    if (failure !== 'unauthorized' && failure !== 'denied')
      expect(cause, failure).toMatch(new RegExp(`^${said(known)}(;|$)`))
  }
})

test('the docs name the number of every close code', () => {
  const sources = Object.fromEntries(
    rowsOf('Why the page is not live').map(([failure, from]) => [failure, from]),
  )
  for (const code of Object.values(CLOSE_CODES))
    expect(sources[failureOf(code)]).toContain(String(code))
})

test('the docs say of every link state what ends it', () => {
  const states: Record<LinkState, true> = {
    connecting: true,
    live: true,
    stale: true,
    offline: true,
    unauthorized: true,
    forbidden: true,
    incompatible: true,
    unavailable: true,
  }
  expect(rowsOf('States of the link').map(([state]) => state)).toEqual(Object.keys(states))
})
