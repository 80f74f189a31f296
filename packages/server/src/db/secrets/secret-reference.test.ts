import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  isReference,
  referenceFault,
  resolveReference,
  UnreadableReference,
} from './secret-reference.ts'
import type { ReferenceSources } from './secret-reference.ts'

let home: string
let folder: string
let sources: ReferenceSources

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'secrets-')))
  folder = join(home, 'secrets')
  mkdirSync(join(folder, 'kubernetes.io'), { recursive: true })
  writeFileSync(join(folder, 'plant-7'), 'hunter2\n')
  writeFileSync(join(folder, 'kubernetes.io', 'token'), 'of the cluster')
  writeFileSync(join(folder, 'keys'), 'k1:…')
  writeFileSync(join(home, 'elsewhere'), 'not for sale')
  const variables: Record<string, string> = { MQTT_SECRET_A: 'of a', MQTT_SECRET_KEYS: 'k1:…' }
  sources = { variable: (name) => variables[name], keysFile: join(folder, 'keys'), folder }
})

afterEach(() => {
  rmSync(home, { recursive: true })
})

async function refusal(reference: string): Promise<string> {
  return resolveReference(reference, sources).then(
    (found) => `found ${found}`,
    (error: unknown) => (error as Error).message,
  )
}

test('a variable or a file stands for its content, without the last line break', async () => {
  expect(await resolveReference('env:MQTT_SECRET_A', sources)).toBe('of a')
  expect(await resolveReference(`file:${folder}/plant-7`, sources)).toBe('hunter2')
})

test('a file is read anew every time', async () => {
  writeFileSync(join(folder, 'plant-7'), 'hunter3')
  expect(await resolveReference(`file:${folder}/plant-7`, sources)).toBe('hunter3')
})

test('a link as orchestrators make it is followed within the folder', async () => {
  mkdirSync(join(folder, '..data'))
  writeFileSync(join(folder, '..data', 'plant-8'), 'of 8')
  symlinkSync(join(folder, '..data', 'plant-8'), join(folder, 'plant-8'))
  expect(await resolveReference(`file:${folder}/plant-8`, sources)).toBe('of 8')
})

test.each([
  'env:PATH',
  'env:MQTT_SECRET_',
  'env:MQTT_SECRET_KEYS',
  'env:MQTT_SECRET_KEYS_FILE',
  'env:AUTH_JWT_SECRET',
  'file:/etc/passwd',
  'file:/run/secrets',
  'file:/run/secrets/',
  'file:/run/secrets/../../etc/passwd',
  'file:/run/secrets//x',
  'file:/run/secrets/a/./b',
  'file:/run/secrets/kubernetes.io/serviceaccount/token',
  'file:run/secrets/x',
  'file:',
])('%s is refused when it is saved', (reference) => {
  expect(isReference(reference)).toBe(true)
  expect(referenceFault(reference)).toContain('expected a reference like')
})

test('nothing outside of the folder is reached by a link, nor the keys of the server by any name', async () => {
  symlinkSync(join(home, 'elsewhere'), join(folder, 'out'))
  symlinkSync(join(folder, 'keys'), join(folder, 'alias'))
  symlinkSync(join(folder, 'kubernetes.io'), join(folder, 'cluster'))
  for (const name of ['out', 'alias', 'keys', 'cluster/token'])
    expect(await refusal(`file:${folder}/${name}`)).toContain('may not be used')
})

test('the error for a missing secret names it, and no other secret', async () => {
  expect(await refusal('env:MQTT_SECRET_B')).toContain('MQTT_SECRET_B is not set')
  expect(await refusal(`file:${folder}/nope`)).toContain('does not exist')
  expect(await refusal(`file:${folder}`)).toContain('expected a reference')
  mkdirSync(join(folder, 'sub'))
  expect(await refusal(`file:${folder}/sub`)).toContain("can't be read")
  writeFileSync(join(folder, 'huge'), Buffer.alloc(70_000))
  expect(await refusal(`file:${folder}/huge`)).toContain('larger than')
})

test('what has to happen before it can be read goes with it', async () => {
  const obstacle = async (reference: string): Promise<unknown> =>
    resolveReference(reference, sources).catch((error: unknown) =>
      error instanceof UnreadableReference ? error.obstacle : error,
    )
  mkdirSync(join(folder, 'sub'))
  symlinkSync(join(folder, 'round'), join(folder, 'round'))
  for (const name of ['nope', 'sub', 'round', 'plant-7/below', 'keys', 'x'.repeat(300)])
    expect([name, await obstacle(`file:${folder}/${name}`)]).toEqual([name, 'file'])
  for (const reference of ['env:MQTT_SECRET_B', 'env:PATH', 'file:/etc/passwd'])
    expect([reference, await obstacle(reference)]).toEqual([reference, 'setting'])
})
