import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requireRuntime } from './runtime.ts'

test('a Node older than `engines` of the package is refused', () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { engines } = JSON.parse(text) as { engines: { node: string } }
  const oldest = Number(engines.node.replace('>=', ''))
  expect(() => {
    requireRuntime(`${oldest - 1}.9.9`)
  }).toThrow(`use Node ${oldest} or newer`)
  expect(() => {
    requireRuntime(`${oldest}.0.0`)
  }).not.toThrow()
})
