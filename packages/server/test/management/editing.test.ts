import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Desk, PLANT, refusal } from './desk.ts'

let desk: Desk

beforeAll(async () => {
  desk = await Desk.open()
})

afterAll(async () => {
  await desk.close()
})

beforeEach(async () => {
  await desk.database.sql`delete from connections`
  await desk.database.sql`delete from commands`
})

test('a manager creates, reads, changes and deletes a connection', async () => {
  const created = await desk.call('POST /connections', { ...PLANT, topics: ['plant/7/#'] })
  expect(created.status).toBe(201)
  expect(created.headers.get('location')).toBe('/api/v1/connections/plant-7')
  expect(created.body).toMatchObject({ ...PLANT, topics: ['plant/7/#'], hasPassword: false })
  expect((await desk.call('GET /connections/plant-7')).body).toMatchObject({
    id: 'plant-7',
    name: 'Impianto 7',
    desired: 'disconnected',
    generation: 0,
  })

  const changed = await desk.call('PATCH /connections/plant-7', { host: '127.0.0.2', port: null })
  expect(changed.status).toBe(200)
  expect(changed.body).toMatchObject({ host: '127.0.0.2', port: null, generation: 1 })
  expect((await desk.call('GET /connections/plant-7/settings')).body).toEqual(changed.body)

  expect((await desk.call('DELETE /connections/plant-7')).status).toBe(204)
  expect(refusal(await desk.call('DELETE /connections/plant-7')).code).toBe('404 not_found')
  expect(refusal(await desk.call('GET /connections/plant-7/settings')).code).toBe('404 not_found')
})

test('the server makes an id where none is sent, and refuses one that exists', async () => {
  const { id: _id, ...nameless } = PLANT
  const { body } = await desk.call('POST /connections', nameless)
  expect(body['id']).toMatch(/^[\w-]{36}$/)
  await desk.call('POST /connections', PLANT)
  expect(refusal(await desk.call('POST /connections', PLANT))).toEqual({
    code: '409 already_exists',
    fields: ['id taken'],
  })
})

test('of two requests that create the same id at once, one gets already_exists', async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => desk.call('POST /connections', PLANT)),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409])
})

test('edits of different fields at once all count', async () => {
  await desk.call('POST /connections', PLANT)
  const edits = [{ name: 'Other' }, { username: 'u' }, { keepaliveS: 20 }, { topics: ['a'] }]
  const answers = await Promise.all(
    edits.map((edit) => desk.call('PATCH /connections/plant-7', edit)),
  )
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect((await desk.call('GET /connections/plant-7/settings')).body).toMatchObject(
    Object.assign({}, ...edits) as object,
  )
})

test('a new or changed desired counts as a command', async () => {
  const created = await desk.call('POST /connections', { ...PLANT, desired: 'connected' })
  expect(created.body).toMatchObject({ desired: 'connected', generation: 1 })
  expect((await desk.call('GET /connections/plant-7')).body).toMatchObject({ desiredBy: 'admin' })
  const same = await desk.call('PATCH /connections/plant-7', { desired: 'connected' })
  expect(same.body).toMatchObject({ generation: 1 })
  const off = await desk.call('PATCH /connections/plant-7', { desired: 'disconnected' })
  expect(off.body).toMatchObject({ desired: 'disconnected', generation: 2 })
})

test('a manager can edit a reply and send it back', async () => {
  const { body } = await desk.call('POST /connections', {
    ...PLANT,
    labels: { region: 'north' },
    availability: { topic: 'plant/7/lwt', online: 'up', offline: 'down' },
  })
  const answer = await desk.call('PATCH /connections/plant-7', { ...body, name: 'Renamed' })
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({ name: 'Renamed', labels: { region: 'north' } })
  // Only the name has changed, so the server does not dial again.
  expect(answer.body['generation']).toBe(body['generation'])
  expect((await desk.call('GET /audit?limit=1')).body).toMatchObject({
    entries: [{ action: 'change', fields: ['name'] }],
  })
})

test('scenario 15: the answer lists all faults of a body, each with its field', async () => {
  const answer = await desk.call('POST /connections', {
    id: 'a/b',
    name: '',
    host: 'host:1883',
    port: 70_000,
    keepaliveS: 70_000,
    protocolVersion: 6,
    managed: 'yes',
    labels: { region: 1 },
    tls: { ca: 'no certificate', colour: 'red' },
    pasword: 'hunter2',
  })
  expect(refusal(answer)).toEqual({
    code: '422 validation',
    fields: [
      'host format',
      'id format',
      'keepaliveS range',
      'labels.region type',
      'managed type',
      'name format',
      'pasword unknown_field',
      'port range',
      'protocolVersion choice',
      'siteId required',
      'tls.ca format',
      'tls.colour unknown_field',
    ],
  })
  expect(answer.text).not.toContain('hunter2')
  expect(await desk.database.sql`select from connections`).toHaveLength(0)
})

test.each([
  [{ keepaliveS: 70_000 }, 'keepaliveS range'],
  [{ keepaliveS: 1.5 }, 'keepaliveS range'],
  [{ tls: { ca: 'x' }, protocol: 'mqtts' }, 'tls.ca format'],
  [{ password: 'hunter2' }, 'password conflict'],
  [{ host: null }, 'host required'],
  [{ host: 'a b' }, 'host format'],
  [{ protocol: 'http' }, 'protocol choice'],
  [{ topics: ['a/#/b'] }, 'topics.0 format'],
  [{ topics: 'a' }, 'topics type'],
  [{ clientId: '' }, 'clientId format'],
  [{ siteId: 7 }, 'siteId type'],
  [{ siteId: null }, 'siteId type'],
  [{ name: 'a\nb' }, 'name format'],
  [{ desired: 'maybe' }, 'desired choice'],
  [{ desired: null }, 'desired required'],
  [{ labels: [] }, 'labels type'],
  [{ tls: 'yes' }, 'tls type'],
  [{ id: 'other' }, 'id immutable'],
  [{ revision: 1 }, 'revision unknown_field'],
  [{ ['__proto__x']: 1 }, '__proto__x unknown_field'],
])('scenario 15: %j is refused when it is saved: %s', async (patch, fault) => {
  await desk.call('POST /connections', PLANT)
  const before = await desk.call('GET /connections/plant-7/settings')
  const answer = refusal(await desk.call('PATCH /connections/plant-7', patch))
  expect(answer).toEqual({ code: '422 validation', fields: [fault] })
  expect((await desk.call('GET /connections/plant-7/settings')).body).toEqual(before.body)
})

test('a body that is no object is refused', async () => {
  for (const body of ['{', '', '[]', 'null', '"text"', '7'])
    expect(refusal(await desk.call('POST /connections', body)).code).toBe('400 bad_request')
  expect(refusal(await desk.call('POST /connections', 'x'.repeat(70_000))).code).toBe(
    '413 payload_too_large',
  )
  const deep = `{"topics":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  for (const body of [
    deep,
    { ...PLANT, name: 'a\0' },
    { ...PLANT, labels: { 'a\0': 'b' } },
    { ...PLANT, username: '\ud800' },
    { ...PLANT, topics: ['\udfff'] },
  ])
    expect(refusal(await desk.call('POST /connections', body)).code).toBe('400 bad_request')
  const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`f${i}`, i]))
  const { fields } = refusal(await desk.call('POST /connections', { ...PLANT, ...many }))
  expect(fields).toHaveLength(20)
})

test('a row that was written by hand, and is impossible, can be renamed, switched off, mended and deleted', async () => {
  await desk.database.sql`
    insert into connections (id, site_id, name, host, keepalive_s, tls, topics, desired)
    values ('hand', 's1', 'By hand', 'a b', 70000, '"none"', '{"a": 1}', 'connected')`
  for (const patch of [{ name: 'Still by hand' }, { desired: 'disconnected' }, { siteId: 's2' }])
    expect((await desk.call('PATCH /connections/hand', patch)).status).toBe(200)
  expect(
    refusal(await desk.call('PATCH /connections/hand', { desired: 'connected' })).fields,
  ).toEqual(['host format', 'keepaliveS range', 'tls type', 'topics type'])
  const mended = { host: '127.0.0.1', keepaliveS: null, tls: null, topics: [] }
  expect((await desk.call('PATCH /connections/hand', mended)).status).toBe(200)
  expect((await desk.call('DELETE /connections/hand')).status).toBe(204)
})

test('an observed connection need not say how to dial it, until it is to be dialled', async () => {
  const seen = { id: 'seen', siteId: 's1', name: 'Seen', managed: false, desired: null }
  expect((await desk.call('POST /connections', seen)).status).toBe(201)
  expect(refusal(await desk.call('PATCH /connections/seen', { managed: true })).fields).toEqual([
    'desired required',
    'host required',
  ])
})

test('a token that may not see a connection gets not_found, one that may only see it gets forbidden', async () => {
  await desk.call('POST /connections', PLANT)
  const stranger = await desk.token({ sites: ['s2'] })
  const viewer = await desk.token({ can: ['view', 'control'] })
  const calls = [
    ['GET /connections/plant-7/settings'],
    ['PATCH /connections/plant-7', { name: 'x' }],
    ['PATCH /connections/plant-7', '{'],
    ['DELETE /connections/plant-7'],
  ] as const
  for (const [request, body] of calls) {
    expect(refusal(await desk.call(request, body, stranger)).code).toBe('404 not_found')
    expect(refusal(await desk.call(request, body, viewer)).code).toBe('403 forbidden')
    expect(refusal(await desk.call(request, body, 'nonsense')).code).toBe('401 unauthorized')
  }
  for (const request of ['POST /connections', 'POST /connections/test'] as const)
    expect(refusal(await desk.call(request, PLANT, viewer)).code).toBe('403 forbidden')
  expect(refusal(await desk.call('GET /audit', undefined, viewer)).code).toBe('403 forbidden')
  expect(
    refusal(await desk.call('POST /connections/plant-7/check', undefined, stranger)).code,
  ).toBe('404 not_found')
})

test('a manager of some sites works there only, and moves a connection only between them', async () => {
  const north = await desk.token({ subject: 'north', sites: ['s1', 's3'] })
  expect((await desk.call('POST /connections', PLANT, north)).status).toBe(201)
  const elsewhere = { ...PLANT, id: 'other', siteId: 's2' }
  expect(refusal(await desk.call('POST /connections', elsewhere, north)).code).toBe('403 forbidden')
  const move = (siteId: string, token: string): Promise<unknown> =>
    desk.call('PATCH /connections/plant-7', { siteId }, token).then(({ status }) => status)
  expect(await move('s2', north)).toBe(403)
  expect(await move('s3', north)).toBe(200)
  // A token for the other site alone can't move the row to it.
  expect(await move('s2', await desk.token({ sites: ['s2'] }))).toBe(404)
})

test('a manager of one connection may create, move and delete that one, and no other', async () => {
  const one = await desk.token({ sites: [], connections: ['plant-7'] })
  expect((await desk.call('POST /connections', PLANT, one)).status).toBe(201)
  expect((await desk.call('PATCH /connections/plant-7', { siteId: 's9' }, one)).status).toBe(200)
  expect(refusal(await desk.call('POST /connections', { ...PLANT, id: 'x' }, one)).code).toBe(
    '403 forbidden',
  )
  expect((await desk.call('DELETE /connections/plant-7', undefined, one)).status).toBe(204)
})

test('the audit names actor and action, the newest first, a page at a time', async () => {
  await desk.call('POST /connections', PLANT)
  await desk.call('PATCH /connections/plant-7', { name: 'Renamed', username: 'u' })
  await desk.call('POST /connections/plant-7/connect')
  await desk.call('DELETE /connections/plant-7', undefined, await desk.token({ subject: 'eve' }))
  const { body } = await desk.call('GET /audit')
  expect(body['next']).toBeNull()
  expect(body['entries']).toMatchObject([
    { action: 'delete', actor: 'eve', connectionId: 'plant-7', siteId: 's1', fields: [] },
    { action: 'connect', actor: 'admin' },
    { action: 'change', actor: 'admin', fields: ['name', 'username'], generation: 1 },
    { action: 'create', actor: 'admin' },
  ])
  const first = await desk.call('GET /audit?limit=3')
  const next = first.body['next'] as number
  const rest = await desk.call(`GET /audit?limit=3&before=${next}`)
  expect(rest.body).toMatchObject({ entries: [{ action: 'create' }], next: null })
  for (const query of ['limit=0', 'limit=x', 'before=-1', 'limit=1001', 'connection=%00'])
    expect(refusal(await desk.call(`GET /audit?${query}`)).code).toBe('400 bad_request')
})

test('the audit has entries of connections that the token covers, deleted or not, and no others', async () => {
  await desk.call('POST /connections', PLANT)
  await desk.call('POST /connections', { ...PLANT, id: 'b', siteId: 's2' })
  await desk.call('DELETE /connections/b')
  const entries = async (scope: object, query = ''): Promise<unknown> => {
    const answer = await desk.call(`GET /audit${query}`, undefined, await desk.token(scope))
    return (answer.body['entries'] as { connectionId: string }[]).map((entry) => entry.connectionId)
  }
  expect(await entries({ sites: ['s2'] })).toEqual(['b', 'b'])
  expect(await entries({ sites: [], connections: ['plant-7'] })).toEqual(['plant-7'])
  expect(await entries({ sites: ['s3'] })).toEqual([])
  expect(await entries({}, '?connection=plant-7')).toEqual(['plant-7'])
})

test('a page of another origin may ask for all methods, if it is allowed', async () => {
  const response = await fetch(`${desk.url}/api/v1/connections/plant-7`, {
    method: 'OPTIONS',
    headers: { origin: desk.url, 'access-control-request-method': 'PATCH' },
  })
  expect(response.headers.get('access-control-allow-methods')).toBe('GET, POST, PATCH, DELETE')
})

test('a connection that mirrors a row of an attached table is neither changed nor deleted', async () => {
  const { sql } = desk.database
  const [attachment] = await sql<{ id: number }[]>`
    insert into attachments (name, prefix, options) values ('shop.links', 'shop-', '{}') returning id`
  await sql`
    insert into connections (id, site_id, name, managed, desired, attachment, attachment_key)
    values ('shop-1', 's', 'Mirrored', false, null, ${attachment?.id ?? 0}, '1')`
  const refused = { code: '409 not_controllable' }
  expect(refusal(await desk.call('PATCH /connections/shop-1', { name: 'Other' }))).toMatchObject(
    refused,
  )
  expect(refusal(await desk.call('DELETE /connections/shop-1'))).toMatchObject(refused)
  expect(await sql`select name from connections`).toEqual([{ name: 'Mirrored' }])
  // Its wish may be edited where it takes commands, and counts as one; nothing else beside it.
  expect(
    refusal(await desk.call('PATCH /connections/shop-1', { desired: 'connected' })),
  ).toMatchObject(refused)
  await sql`update connections set desired = 'connected'`
  const both = { desired: 'disconnected', name: 'Other' }
  expect(refusal(await desk.call('PATCH /connections/shop-1', both))).toMatchObject(refused)
  expect(await desk.call('PATCH /connections/shop-1', { desired: 'disconnected' })).toMatchObject({
    body: { desired: 'disconnected', name: 'Mirrored' },
  })
  expect(await sql`select desired, generation::int from connections`).toEqual([
    { desired: 'disconnected', generation: 1 },
  ])
})
