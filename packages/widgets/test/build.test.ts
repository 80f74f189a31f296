/** What the builds change must not change what the sources do. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import type { Rolldown } from 'vite'
import { expect, test } from 'vitest'
import { inlinedIn } from '../licences.config.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

async function buildSingleFile(): Promise<Rolldown.RolldownOutput['output']> {
  const built = await build({
    root,
    configFile: `${root}vite.config.ts`,
    logLevel: 'error',
    build: { write: false },
  })
  return (built as Rolldown.RolldownOutput).output
}

test('the single file is all there is, and says nothing that only readers of the source need', async () => {
  const [file, ...others] = await buildSingleFile()
  expect(others).toEqual([])
  expect([file.imports, file.dynamicImports]).toEqual([[], []])
  expect(file.code).not.toMatch(/\bimport\(|\n *<|\/\* /)
  expect(file.code).toContain('Connessione persa')
  expect(file.code).toContain('api/v1/connections/query')
})

test('the single file names every package that it contains, with licence and copyright', async () => {
  const [file] = await buildSingleFile()
  const banner = file.code.slice(0, file.code.indexOf('*/'))
  // Every module that is not of this repository, found apart from the plugin.
  const packages = Object.keys(file.modules).flatMap((id) => id.split('node_modules/').at(-1) ?? [])
  const foreign = packages.filter((id) => !id.startsWith('/') && !id.startsWith('\0'))
  expect(foreign.some((id) => id.startsWith('lit-html/'))).toBe(true)
  expect(foreign.some((id) => id.startsWith('reconnecting-websocket/'))).toBe(true)
  for (const id of foreign) {
    const name = id.split('/', id.startsWith('@') ? 2 : 1).join('/')
    expect(banner).toMatch(
      new RegExp(`^ \\* ${name} [0-9.]+ \\([A-Z0-9-]+\\) Copyright \\(c\\) `, 'im'),
    )
  }
})

test('the notices in the files of a package belong to its licence text', () => {
  const library = `${root}node_modules/reconnecting-websocket`
  const [inlined] = inlinedIn([`${library}/dist/reconnecting-websocket-mjs.js`])
  expect(inlined?.text).toContain('Copyright (c) 2018 Pedro Ladaria')
  expect(inlined?.text).toContain('Licensed under the Apache License, Version 2.0')
})

test('a package without a licence text can not become a part of the single file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mqtt-status-licences-'))
  const unlicensed = join(folder, 'node_modules/unlicensed')
  try {
    mkdirSync(unlicensed, { recursive: true })
    writeFileSync(join(unlicensed, 'package.json'), '{"name":"unlicensed","version":"1.0.0"}')
    expect(() => inlinedIn([join(unlicensed, 'index.js')])).toThrow(
      'unlicensed 1.0.0 has no licence file, so the single file must not contain it.',
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
