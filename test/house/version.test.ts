import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../packages/', import.meta.url)

function versionOf(name: string): string {
  const text = readFileSync(new URL(`${name}/package.json`, ROOT), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

test('the version that the elements state is that of their package, and stands in one place', () => {
  const files = readdirSync(new URL('widgets/src/', ROOT), { recursive: true, encoding: 'utf8' })
  const stated = files
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(new URL(`widgets/src/${name}`, ROOT), 'utf8'))
    .flatMap((text) => [...text.matchAll(/\bVERSION\b[^=\n]*= '([^']*)'/g)])
    .map(([, version]) => version)
  expect(stated).toEqual([versionOf('widgets')])
})

test('server and widgets have the same version, because they are published together', () => {
  expect(versionOf('server')).toBe(versionOf('widgets'))
})
