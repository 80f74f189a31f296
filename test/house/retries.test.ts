import { globSync, readFileSync } from 'node:fs'
import { CLOSE_CODES } from '@mqtt-status/protocol'
import { expect, test } from 'vitest'
import { FAILURES, failureOf, ORIGINS } from '../../packages/widgets/src/client/link/failures.ts'
import type { Failure, LinkState } from '../../packages/widgets/src/client/link/failures.ts'

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
    const { retry, state, cause: known } = FAILURES[failure as Failure]
    expect(row, failure).toEqual({ ...ORIGINS[failure as Failure], retry, state: said(state) })
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

const SERVER = new URL('../../packages/server/src/', import.meta.url)

/** The sources of the server by path, without tests. */
function sources(): ReadonlyMap<string, string> {
  return new Map(
    globSync('**/*.ts', { cwd: SERVER.pathname })
      .filter((path) => !path.endsWith('.test.ts'))
      .map((path) => [path, readFileSync(new URL(path, SERVER), 'utf8')]),
  )
}

/** The states of each union that a file declares with the name `State`, `SessionState` or `TermState`. */
function statesIn(source: string): string[] {
  const [, union] = /^(?:export )?type (?:Session|Term)?State =\n?([^]*?)\n\n/m.exec(source) ?? []
  if (union === undefined) return []
  const named = [...union.matchAll(/kind: '(\w+)'/g)].map(([, kind = '']) => kind)
  const plain = [...union.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
  return [...new Set(named.length > 0 ? named : plain)]
}

/** Files whose timers make nothing wait that an operator could miss. */
const NO_WAIT: Readonly<Record<string, string>> = {
  'main.ts': 'it ends a process that has stopped',
  'cli/ending.ts': 'it looks whether what has started the process has ended',
  'embedded/postgres-keeper.ts': 'the database of the demo',
  'embedded/fleet.ts': 'the devices of the demo',
}

test('the docs explain each state of each state machine of the server', () => {
  const states = [...sources()].flatMap(([path, source]) =>
    statesIn(source).map((state) => `${path} ${state}`),
  )
  expect(states.length).toBeGreaterThan(35)
  const rows = rowsOf('States in which the server waits or stops')
  expect(rows.map(([path, state]) => `${path ?? ''} ${state ?? ''}`).toSorted()).toEqual(
    states.toSorted(),
  )
  for (const [path, state, ...cells] of rows) {
    expect(cells, `${path ?? ''} ${state ?? ''}`).toHaveLength(3)
    for (const cell of cells) expect(cell, `${path ?? ''} ${state ?? ''}`).not.toBe('')
  }
})

test('the docs explain each file of the server that keeps a timer', () => {
  const all = sources()
  const machines = new Set([...all].filter(([, text]) => statesIn(text).length > 0).map(([p]) => p))
  const timers = [...all]
    .filter(([, text]) => /\b(setTimeout|setInterval)\(|AbortSignal\.timeout\(/.test(text))
    .map(([path]) => path)
    .filter((path) => !machines.has(path) && NO_WAIT[path] === undefined)
  const rows = rowsOf('Other waits of the server')
  const documented = rows.map(([path = '']) => path)
  expect(timers.length).toBeGreaterThan(20)
  expect(documented).toEqual(expect.arrayContaining(timers))
  for (const [path = '', ...cells] of rows) {
    expect(all.has(path), path).toBe(true)
    expect(cells, path).toHaveLength(3)
    for (const cell of cells) expect(cell, path).not.toBe('')
  }
  for (const path of Object.keys(NO_WAIT)) expect(all.has(path), path).toBe(true)
})
