/** Each example is a project that a stranger can copy, and has its place in the list and in the shared tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXAMPLES } from '../../scripts/examples/example.ts'
import { ROOT } from '../../scripts/packages.ts'
import { EXAMPLE_TRAITS } from '../examples/examples.ts'

const README_LINES = 45

function read(...path: string[]): string {
  return readFileSync(join(ROOT, ...path), 'utf8')
}

test('the list of examples names each folder, and the shared tests know it', () => {
  const rows = [...read('examples/README.md').matchAll(/^\| \[(\w+)\]\(\1\) \|/gm)]
  const listed = rows.map(([, name]) => name)
  const folders = readdirSync(join(ROOT, 'examples')).filter((name) =>
    existsSync(join(ROOT, 'examples', name, 'README.md')),
  )
  expect(listed.toSorted()).toEqual(folders.filter((name) => name !== 'packed').toSorted())
  expect(Object.keys(EXAMPLE_TRAITS)).toEqual(expect.arrayContaining([...EXAMPLES]))
})

test.each(EXAMPLES)('%s has a README of a screen, and the shared tests run on it', (name) => {
  expect(read('examples', name, 'README.md').split('\n').length).toBeLessThan(README_LINES)
  expect(read(`test/examples/${name}.test.ts`)).toContain(`testExample('${name}')`)
})

test.each(EXAMPLES)('%s names exact versions, and its lockfile names no registry', (name) => {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    read('examples', name, 'package.json'),
  ) as Record<string, Record<string, string>>
  const all = { ...dependencies, ...devDependencies }
  for (const [dependency, version] of Object.entries(all)) {
    const isOurs = dependency.startsWith('@mqtt-status/')
    expect(version, dependency).toMatch(isOurs ? /^file:\.\.\/packed\/widgets$/ : /^\d+\.\d+\.\d+/)
  }
  const lock = join('examples', name, 'pnpm-lock.yaml')
  expect(existsSync(join(ROOT, lock))).toBe(Object.keys(all).length > 0)
  if (existsSync(join(ROOT, lock))) expect(read(lock)).not.toMatch(/https?:\/\//)
})
