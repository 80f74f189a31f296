import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requireRuntime } from './runtime.ts'

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
const { engines } = JSON.parse(text) as { engines: { node: string } }
const oldest = engines.node.replace('>=', '')
const [major = 0, minor = 0] = oldest.split('.').map(Number)

test.each([`${major - 1}.99.9`, `${major}.${minor - 1}.9`])(
  'Node %s, older than `engines` of the package, is refused',
  (version) => {
    expect(() => {
      requireRuntime(version)
    }).toThrow(`Node ${version} is too old for mqtt-status; use Node ${oldest} or newer.`)
  },
)

test.each([`${major}.${minor}.0`, `${major}.${minor + 8}.1`, `${major + 1}.0.0`])(
  'Node %s is accepted',
  (version) => {
    expect(() => {
      requireRuntime(version)
    }).not.toThrow()
  },
)
