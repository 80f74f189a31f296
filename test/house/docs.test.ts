import { readFileSync } from 'node:fs'
import { PROBLEMS, REASONS } from '@mqtt-status/protocol'
import { expect, test } from 'vitest'
import { en } from '../../packages/widgets/src/locales/en.ts'
import { it } from '../../packages/widgets/src/locales/it.ts'

function page(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
}

test('every problem code has a heading in the docs, and every heading a code', () => {
  const headings = [...page('errors.md').matchAll(/^## `(\w+)`$/gm)].map(([, code]) => code)
  expect(headings.toSorted()).toEqual(Object.keys(PROBLEMS).toSorted())
})

test('every reason code is explained in the docs, with its class', () => {
  const rows = [...page('mqtt.md').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, code, kind]) => [
    code,
    kind,
  ])
  expect(Object.fromEntries(rows)).toEqual(REASONS)
})

test('every reason after which the server waits long stands in the list of retries, with its class', () => {
  const [, server = ''] = page('retries.md').split('## On the server')
  const rows = [...server.matchAll(/^\| `(\w+)` \| (\w+) \| .+ \| .+ \|$/gm)]
  const long = Object.entries(REASONS).filter(([, kind]) => kind === 'slow' || kind === 'permanent')
  expect(rows).toHaveLength(long.length)
  expect(Object.fromEntries(rows.map(([, code, kind]) => [code, kind]))).toEqual(
    Object.fromEntries(long),
  )
})

test.each([en, it])('every reason code has words in $code, and all are different', ({ reason }) => {
  expect(Object.keys(reason).toSorted()).toEqual(Object.keys(REASONS).toSorted())
  expect(new Set(Object.values(reason)).size).toBe(Object.keys(REASONS).length)
})
