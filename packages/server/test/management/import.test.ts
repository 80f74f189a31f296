import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Desk } from './desk.ts'

let desk: Desk
let folder: string

beforeAll(async () => {
  desk = await Desk.open()
  folder = mkdtempSync(join(tmpdir(), 'import-'))
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await desk.close()
})

beforeEach(async () => {
  await desk.database.sql`delete from connections`
  await desk.database.sql`delete from commands`
})

function load(
  name: string,
  content: string,
  ...flags: string[]
): Promise<{ readonly lines: string[]; readonly error: string | null }> {
  const file = join(folder, name)
  writeFileSync(file, content)
  return desk.run(['connections', 'import', file, ...flags])
}

async function settings(id: string): Promise<Record<string, unknown>> {
  return (await desk.call(`GET /connections/${id}/settings`)).body
}

const CSV = `id,siteId,name,protocol,host,port,username,password,topics,labels.region,tls.servername,managed
plant-7,s1,"Impianto 7, nord",mqtts,127.0.0.1,8883,u,"p, with ""quotes""",plant/7/# plant/8/#,north,broker.example.com,true
plant-8,s1,Impianto 8,mqtt,127.0.0.1,,,,,,,false
`

test('a CSV file becomes connections, with their secrets, noted in the audit', async () => {
  expect(await load('a.csv', CSV)).toEqual({
    lines: ['2 created, 0 changed, 0 unchanged.'],
    error: null,
  })
  expect(await settings('plant-7')).toMatchObject({
    name: 'Impianto 7, nord',
    port: 8883,
    topics: ['plant/7/#', 'plant/8/#'],
    labels: { region: 'north' },
    tls: { servername: 'broker.example.com' },
    hasPassword: true,
  })
  expect(await settings('plant-8')).toMatchObject({ port: null, topics: null, managed: false })
  expect((await desk.call('GET /audit')).body['entries']).toMatchObject([
    { action: 'create', actor: 'command line', connectionId: 'plant-8' },
    { action: 'create', actor: 'command line', connectionId: 'plant-7' },
  ])
})

test('a file is written whole or not at all, and every fault has its line and field', async () => {
  const { error } = await load(
    'b.csv',
    `id,siteId,name,host,port,keepaliveS
good,s1,Good,127.0.0.1,1883,
bad one,s1,Bad,127.0.0.1,1883,
third,,No site,127.0.0.1,99999,
fourth,s1,Blocked,10.0.0.1,1883,often
good,s1,Twice,127.0.0.1,1883,
`,
  )
  expect(error?.split('\n').map((line) => line.replace(/:.*/, ''))).toEqual([
    'Nothing was written',
    '  line 3, id',
    '  line 4, siteId',
    '  line 4, port',
    '  line 5, keepaliveS',
    '  line 5, host',
    '  line 6, id',
  ])
  expect(await desk.database.sql`select from connections`).toHaveLength(0)
})

test('--dry-run checks all and writes nothing; --json is for programs', async () => {
  expect((await load('a.csv', CSV, '--dry-run')).lines.join('')).toContain('nothing was written: 2')
  expect(await desk.database.sql`select from connections`).toHaveLength(0)
  const { lines, error } = await load('c.csv', 'id,colour\na,red\n', '--json')
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    kind: 'refused',
    faults: [
      { line: 2, field: 'colour', code: 'unknown_field' },
      { line: 2, field: 'siteId', code: 'required' },
      { line: 2, field: 'name', code: 'required' },
      { line: 2, field: 'host', code: 'required' },
    ],
  })
  expect(error).toBe('Nothing was written: 4 faults in the file.')
})

test('--update changes what a row names, keeps the rest, and needs the secret anew with another target', async () => {
  await load('a.csv', CSV)
  expect((await load('a.csv', CSV)).error).toContain('line 2, id: exists already; --update')
  const rename = 'id,name\nplant-7,Renamed\nplant-8,Impianto 8\n'
  expect((await load('d.csv', rename, '--update')).lines).toEqual([
    '0 created, 1 changed, 1 unchanged.',
  ])
  expect(await settings('plant-7')).toMatchObject({ name: 'Renamed', hasPassword: true })
  const move = 'id,host\nplant-7,127.0.0.2\n'
  expect((await load('e.csv', move, '--update')).error).toContain(
    'line 2, password: has to be sent anew',
  )
})

test('what is exported can be imported again, in both formats', async () => {
  await load('a.csv', CSV)
  for (const format of ['json', 'csv']) {
    const { lines } = await desk.run(['connections', 'export', '--format', format])
    expect(lines.join('\n')).not.toContain('quotes')
    const again = await load(`f.${format}`, lines.join('\n'), '--update')
    expect(again).toEqual({ lines: ['0 created, 0 changed, 2 unchanged.'], error: null })
  }
  const { lines } = await desk.run(['connections', 'list'])
  expect(lines[0]).toMatch(/^ID +SITE +STATUS +REASON +NAME$/)
  expect(lines).toHaveLength(3)
})

test.each([
  ['x.csv', 'id,name\n"open', 'not CSV as expected in line'],
  ['x.csv', 'id,name\na,b,c\n', 'not CSV as expected in line 2'],
  ['x.json', '{"connections": [', 'not JSON'],
  ['x.json', '{"a": 1}', 'no list of connections'],
  ['x.json', '[{"id": "a"}, 7]', 'Item 2 of the file is not an object'],
  ['x.txt', 'id', 'neither .csv nor .json'],
])('%s with %j is refused with a sentence', async (name, content, words) => {
  expect((await load(name, content)).error).toContain(words)
})

test('a secret in a broken file is not repeated', async () => {
  const broken = [
    ['x.json', '[{"password": "Pl4nted'],
    ['x.csv', 'id,password\na,Pl4nted,x\n'],
    ['y.csv', 'id,password,host\na b,Pl4nted,c d\n'],
    ['x.json', '[{"id": "a", "password": ["Pl4nted"], "tls": {"key": "Pl4nted"}}]'],
  ] as const
  for (const [name, content] of broken) {
    const { lines, error } = await load(name, content, '--json')
    expect(error).not.toBeNull()
    expect([...lines, error].join('\n')).not.toContain('Pl4nted')
  }
})

test('an import of a fleet reports its progress', async () => {
  const rows = Array.from({ length: 2_500 }, (_, i) => ({
    id: `p${i}`,
    siteId: `s${i % 50}`,
    name: `Plant ${i}`,
    host: '127.0.0.1',
    username: 'u',
    password: `secret ${i}`,
  }))
  const { lines, error } = await load('fleet.json', JSON.stringify(rows))
  expect(error).toBeNull()
  expect(lines).toContain('2000 of 2500 checked')
  expect(lines).toContain('2000 of 2500 written')
  expect(lines.at(-1)).toBe('2500 created, 0 changed, 0 unchanged.')
  const [count] = await desk.database.sql`
    select (select count(*)::int from connections) as rows,
      (select count(*)::int from connection_secrets) as secrets,
      (select count(*)::int from commands) as entries`
  expect(count).toEqual({ rows: 2_500, secrets: 2_500, entries: 2_500 })
})

test('the error for a database that is away is a sentence', async () => {
  const { error } = await desk.run(['connections', 'list'], {
    DATABASE_URL: 'postgres://127.0.0.1:1/x',
  })
  expect(error).toContain("can't be reached")
})

test('each call prints another key, in the form of the setting', async () => {
  const made = await Promise.all(
    [1, 2].map(() => desk.run(['secrets', 'generate-key', '--id', 'k9'])),
  )
  const keys = made.map(({ lines }) => lines.join())
  expect(new Set(keys).size).toBe(2)
  for (const key of keys)
    expect((await desk.run(['secrets', 'rotate'], { MQTT_SECRET_KEYS: key })).error).toBeNull()
  expect((await desk.run(['secrets', 'generate-key', '--id', 'a,b'])).error).toContain(
    'found "a,b"',
  )
  expect((await desk.run(['secrets', 'rotate'], { MQTT_SECRET_KEYS: '' })).error).toContain(
    'MQTT_SECRET_KEYS is not set',
  )
})

test('a rotation names what it can not read, and leaves it as it is', async () => {
  await load('a.csv', CSV)
  const lost = `lost:${Buffer.alloc(32, 9).toString('base64')}`
  const { error } = await desk.run(['secrets', 'rotate'], { MQTT_SECRET_KEYS: lost })
  expect(error).toMatch(/^1 could not be read[^]*plant-7 password: [^]*"k1"/)
  expect((await desk.run(['secrets', 'rotate'])).error).toBeNull()
})

test('the doctor names keys that are missing', async () => {
  await load('a.csv', CSV)
  const finding = async (keys?: string): Promise<unknown> => {
    const { lines } = await desk.run(
      ['doctor', '--json'],
      keys === undefined ? {} : { MQTT_SECRET_KEYS: keys },
    )
    const findings = JSON.parse(lines.join('\n')) as {
      check: string
      state: string
      found: string
    }[]
    const { state, found } = findings.find(({ check }) => check === 'secrets') ?? {}
    return `${state ?? ''}: ${found ?? ''}`
  }
  expect(await finding()).toBe('ok: 1 are encrypted, 0 are references')
  expect(await finding('')).toContain(
    'broken: 1 are encrypted, 0 are references; these keys are missing: "k1" (1)',
  )
})

test('connections that mirror rows of an attached table are not changed by an import, except for their wish', async () => {
  const { sql } = desk.database
  const [attachment] = await sql<{ id: number }[]>`
    insert into attachments (name, prefix, options) values ('shop.links', 'shop-', '{}') returning id`
  await sql`
    insert into connections (id, site_id, name, managed, desired, attachment, attachment_key)
    values ('shop-1', 's', 'Mirrored', false, 'connected', ${attachment?.id ?? 0}, '1')`
  const edit = 'id,name\nshop-1,Other\n'
  expect((await load('m.csv', edit, '--update')).error).toContain(
    'line 2, id: The connection mirrors a row of the table shop.links: change or delete it there',
  )
  expect(await sql`select name from connections`).toEqual([{ name: 'Mirrored' }])
  const same = 'id,name,desired\nshop-1,Mirrored,disconnected\n'
  expect((await load('n.csv', same, '--update')).lines).toEqual([
    '0 created, 1 changed, 0 unchanged.',
  ])
  await sql`delete from connections`
  await sql`delete from attachments`
})
