import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const PAGE = readFileSync(new URL('docs/isolation.md', ROOT), 'utf8')

const AT_FAULT = [
  'One row',
  'One broker',
  'One host',
  'One site',
  'One page',
  'This machine',
  'The database for reads',
  'The database for writes',
  'The database for commits',
  'An attached table',
]
const WHO = [
  'another row of the broker',
  'a row of another broker',
  'another site',
  'another page',
  'another node',
  'the operator',
]

/** The rows of the table about one party at fault. */
function cellsOf(party: string): string[][] {
  const section = PAGE.split(`## ${party} fails\n`)[1]?.split(/^## /m)[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| who '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .filter(([who = '']) => !/^-+$/.test(who))
}

/** Tests that a cell names, as file and name. */
function testsIn(cell: string): { readonly file: string; readonly name: string }[] {
  return [...cell.matchAll(/`([^`]+\.test\.ts)`: “([^”]+)”/g)].map(([, file = '', name = '']) => ({
    file,
    name,
  }))
}

test('the matrix has every party at fault, against everybody who may notice', () => {
  const parties = [...PAGE.matchAll(/^## (.+) fails$/gm)].map(([, party]) => party)
  expect(parties).toEqual(AT_FAULT)
  for (const party of AT_FAULT) {
    expect(cellsOf(party).map(([who]) => who)).toEqual(WHO)
    for (const [who, ...cells] of cellsOf(party)) {
      expect(cells, `${party} / ${who ?? ''}`).toHaveLength(2)
      for (const cell of cells) expect(cell, `${party} / ${who ?? ''}`).not.toBe('')
    }
  }
})

test('every cell of the matrix names tests that exist, or a reason', () => {
  for (const party of AT_FAULT) {
    for (const [who = '', , shown = ''] of cellsOf(party)) {
      const named = testsIn(shown)
      const place = `${party} / ${who}`
      if (named.length === 0) expect(shown, place).toMatch(/^because .{20,}/)
      for (const { file, name } of named) {
        expect(existsSync(new URL(file, ROOT)), `${place}: ${file}`).toBe(true)
        expect(readFileSync(new URL(file, ROOT), 'utf8'), place).toContain(name)
      }
      // Each file that is named is named with a test of it.
      expect(shown.match(/\.test\.ts/g) ?? [], place).toHaveLength(named.length)
    }
  }
})

test('every limit of the page on security names a test that exists', () => {
  const page = readFileSync(new URL('docs/security.md', ROOT), 'utf8')
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| limit '))
  expect(rows.length).toBeGreaterThan(0)
  for (const row of rows) {
    const named = testsIn(row)
    expect(named.length, row).toBeGreaterThan(0)
    for (const { file, name } of named)
      expect(readFileSync(new URL(file, ROOT), 'utf8'), row).toContain(name)
  }
})
