import { createSecretKey, randomBytes } from 'node:crypto'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeyRing } from '../../src/db/secrets/key-ring.ts'
import type { SecretKey } from '../../src/config/values.ts'
import { rotateSecrets } from '../../src/db/secrets/secret-rotation.ts'
import { Secrets } from '../../src/db/secrets/secrets.ts'
import type { SecretField } from '../../src/model/connection/settings.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { transaction } from '../../src/db/postgres/transaction.ts'

const K1: SecretKey = { id: 'k1', key: createSecretKey(randomBytes(32)) }
const K2: SecretKey = { id: 'k2', key: createSecretKey(randomBytes(32)) }
const VARIABLES: Record<string, string> = { MQTT_SECRET_A: 'of a' }

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createDatabase()
  sql = inSchema(
    connectSql(database.url, {
      max: 4,
      applicationName: 'test-secrets',
    }),
    DEFAULT_SCHEMA,
  )
  await database.sql`insert into connections (id, site_id, name) values ('a', 's', 'A'), ('b', 's', 'B'), ('c', 's', 'C')`
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

function secretsWith(...keys: SecretKey[]): Secrets {
  const references = { variable: (name: string) => VARIABLES[name] }
  return new Secrets({ read: direct(sql).read, ring: new KeyRing(keys), references })
}

async function store(
  id: string,
  values: Partial<Record<SecretField, string | null>>,
  secrets = secretsWith(K1),
): Promise<void> {
  const writes = Object.entries(values).map(([field, text]) => ({
    connectionId: id,
    field: field as SecretField,
    text,
  }))
  await transaction(sql, (tx) => secrets.write(tx, writes))
}

async function read(id: string, secrets = secretsWith(K1)): Promise<unknown> {
  return (await secrets.read([id])).get(id)
}

async function generation(id: string): Promise<number> {
  const [found] = await sql<{ generation: number }[]>`
    select generation from ${sql.schema}.connections where id = ${id}`
  return found?.generation ?? -1
}

test('a secret is read as it was stored, and the table has its ciphertext only', async () => {
  await store('a', { password: 'hunter2', 'tls.key': 'PEM' })
  expect(await read('a')).toEqual({
    kind: 'readable',
    values: { password: 'hunter2', 'tls.key': 'PEM' },
  })
  expect(await read('b')).toBeUndefined()
  const [dump] =
    await database.sql`select string_agg(s::text, '') as text from connection_secrets s`
  expect(dump?.['text']).not.toContain('hunter2')
  expect(dump?.['text']).not.toContain(Buffer.from('hunter2').toString('hex'))
})

test('a secret can be replaced and deleted, and is deleted with its connection; each change raises the generation', async () => {
  await store('a', { password: 'one' })
  const first = await generation('a')
  await store('a', { password: 'two' })
  expect(await read('a')).toMatchObject({ values: { password: 'two' } })
  expect(await generation('a')).toBe(first + 1)
  await store('a', { password: null })
  expect(await read('a')).toBeUndefined()
  expect(await generation('a')).toBe(first + 2)
  await store('a', { password: 'three' })
  await database.sql`delete from connections where id = 'a'`
  expect(await database.sql`select from connection_secrets`).toHaveLength(0)
})

test('a reference is stored as it is and resolved when it is read', async () => {
  await store('a', { password: 'env:MQTT_SECRET_A' }, secretsWith())
  expect(await read('a', secretsWith())).toMatchObject({ values: { password: 'of a' } })
  await store('b', { password: 'env:MQTT_SECRET_B' })
  expect(await read('b')).toMatchObject({
    kind: 'unreadable',
    why: expect.stringContaining('MQTT_SECRET_B') as string,
  })
})

test('scenario 21: with a wrong key the secret of that row alone is unreadable', async () => {
  await store('a', { password: 'hunter2' })
  await store('b', { password: 'other' }, secretsWith(K2))
  const found = await secretsWith(K1).read(['a', 'b', 'c'])
  expect(found.get('a')).toMatchObject({ kind: 'readable' })
  expect(found.get('b')).toMatchObject({ kind: 'unreadable', field: 'password' })
  expect(found.has('c')).toBe(false)
  expect(await secretsWith(K1).areLost()).toBe(false)
  expect(await secretsWith().areLost()).toBe(true)
})

test('a ciphertext that is copied to another connection can not be decrypted there', async () => {
  await store('a', { password: 'hunter2' })
  await database.sql`update connection_secrets set connection_id = 'b'`
  expect(await read('b')).toMatchObject({ kind: 'unreadable' })
})

test('scenario 21: rotation encrypts everything anew, dials nothing anew, and may be run again', async () => {
  await store('a', { password: 'hunter2', 'tls.key': 'PEM' })
  await store('b', { password: 'env:MQTT_SECRET_A' })
  const before = [await generation('a'), await generation('b')]
  const progress: number[] = []
  const ring = new KeyRing([K2, K1])
  const rotation = await rotateSecrets(sql, ring, ({ done }) => progress.push(done))
  expect(rotation).toEqual({ rotated: 2, unreadable: [] })
  expect(progress).toEqual([2])
  expect([await generation('a'), await generation('b')]).toEqual(before)
  // The former key is not needed any more.
  expect(await read('a', secretsWith(K2))).toMatchObject({
    values: { password: 'hunter2', 'tls.key': 'PEM' },
  })
  expect(await rotateSecrets(sql, ring)).toEqual({ rotated: 0, unreadable: [] })
})

test('a rotation skips secrets that it can not read, in more than one batch', async () => {
  await database.sql`
    insert into connections (id, site_id, name)
    select 'r' || to_char(i, 'FM0000'), 's', 'R' from generate_series(1, 450) i`
  const secrets = secretsWith(K1)
  const ids = Array.from({ length: 450 }, (_, i) => `r${String(i + 1).padStart(4, '0')}`)
  await transaction(sql, (tx) =>
    secrets.write(
      tx,
      ids.map((connectionId) => ({ connectionId, field: 'password', text: `of ${connectionId}` })),
    ),
  )
  await database.sql`update connection_secrets set tag = '\\x00' where connection_id = 'r0201'`
  const rotation = await rotateSecrets(sql, new KeyRing([K2, K1]))
  expect(rotation.rotated).toBe(449)
  expect(rotation.unreadable).toMatchObject([{ connectionId: 'r0201', field: 'password' }])
  expect(await read('r0450', secretsWith(K2))).toMatchObject({ values: { password: 'of r0450' } })
})

test('rotation encrypts all other secrets while one of them is locked, and that one in the end', async () => {
  for (const id of ['a', 'b', 'c']) await store(id, { password: `of ${id}` })
  await database.sql`update connection_secrets set tag = '\\x00' where connection_id = 'a'`
  const former = (): Promise<{ id: string }[]> => database.sql`
    select connection_id as id from connection_secrets where key_id = 'k1' order by 1`
  let rotation: ReturnType<typeof rotateSecrets> | undefined
  await database.sql.begin(async (tx) => {
    await tx`select from connection_secrets where connection_id = 'b' for update`
    rotation = rotateSecrets(sql, new KeyRing([K2, K1]))
    await until(async () => (await former()).length === 2, { what: 'the others to be encrypted' })
    expect([...(await former())]).toEqual([{ id: 'a' }, { id: 'b' }])
  })
  expect(await rotation).toMatchObject({ rotated: 2, unreadable: [{ connectionId: 'a' }] })
  expect([...(await former())]).toEqual([{ id: 'a' }])
})

test('the table takes nothing that is neither a secret nor a reference', async () => {
  await expect(
    database.sql`insert into connection_secrets (connection_id, field) values ('a', 'password')`,
  ).rejects.toThrow('connection_secrets_kind')
  await expect(
    database.sql`insert into connection_secrets (connection_id, field, reference) values ('a', 'pin', 'env:X')`,
  ).rejects.toThrow('connection_secrets_field')
})
