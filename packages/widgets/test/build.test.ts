/** What the builds change must not change what the sources do. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import type { Rolldown } from 'vite'
import { expect, test } from 'vitest'
import { SOCKET_MEMBERS } from '../plugins.config.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

test('no member of the socket is left out that is called', () => {
  const source = readFileSync(`${root}src/client/transport/websocket.ts`, 'utf8')
  const called = Array.from(source.matchAll(/\bsocket\.(\w+)/g), ([, name]) => name)
  expect(called).toContain('send')
  expect(called.filter((name = '') => !SOCKET_MEMBERS.includes(name))).toEqual([])
})

test('the single file is all there is, and says nothing that only readers of the source need', async () => {
  const built = await build({
    root,
    configFile: `${root}vite.config.ts`,
    logLevel: 'error',
    build: { write: false },
  })
  const [file, ...others] = (built as Rolldown.RolldownOutput).output
  expect(others).toEqual([])
  expect([file.imports, file.dynamicImports]).toEqual([[], []])
  expect(file.code).not.toMatch(/\bimport\(|\n *<|\/\* /)
  expect(file.code).toContain('Connessione persa')
  expect(file.code).toContain('api/v1/connections/query')
})
