import { once } from 'node:events'
import { Broker } from '@mqtt-status/testing/broker'
import { Authority } from '@mqtt-status/testing/certificates'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import postgres from 'postgres'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Desk, KEYS, PLANT, refusal } from './desk.ts'

const PASSWORD = 'Pl4nted-hunter2-Geheimnis'
const K2 = `k2:${Buffer.alloc(32, 2).toString('base64')}`

let desk: Desk

afterEach(async () => {
  await desk.close()
})

async function withPassword(environment = {}): Promise<void> {
  desk = await Desk.open(environment)
  const { status } = await desk.call('POST /connections', {
    ...PLANT,
    username: 'u',
    password: PASSWORD,
  })
  expect(status).toBe(201)
}

test('scenario 21: no reply has a password; absent keeps it, null deletes it, a text sets it', async () => {
  await withPassword()
  const { body } = await desk.call('GET /connections/plant-7/settings')
  expect(body).toMatchObject({ hasPassword: true, passwordReference: null })
  expect(body).not.toHaveProperty('password')
  const kept = await desk.call('PATCH /connections/plant-7', { name: 'Renamed' })
  expect(kept.body).toMatchObject({
    hasPassword: true,
    passwordUpdatedAt: body['passwordUpdatedAt'],
  })
  const set = await desk.call('PATCH /connections/plant-7', { password: 'another' })
  expect(set.body['passwordUpdatedAt']).not.toBe(body['passwordUpdatedAt'])
  expect(set.body['generation']).toBeGreaterThan(Number(kept.body['generation']))
  const gone = await desk.call('PATCH /connections/plant-7', { password: null })
  expect(gone.body).toMatchObject({ hasPassword: false, passwordUpdatedAt: null })
})

test.each([
  [{ host: '127.0.0.2' }],
  [{ port: 1884 }],
  [{ protocol: 'ws' }],
  [{ protocol: 'mqtts', port: 1883 }],
])('scenario 13: the password has to be sent anew with %j', async (target) => {
  await withPassword()
  expect(refusal(await desk.call('PATCH /connections/plant-7', target))).toEqual({
    code: '422 validation',
    fields: ['password required_anew'],
  })
  expect(refusal(await desk.call('POST /connections/test', { id: 'plant-7', ...target }))).toEqual({
    code: '422 validation',
    fields: ['password required_anew'],
  })
  for (const password of [PASSWORD, null]) {
    const back = { protocol: 'mqtt', host: '127.0.0.1', port: 1883, password: PASSWORD }
    expect((await desk.call('PATCH /connections/plant-7', { ...target, password })).status).toBe(
      200,
    )
    expect((await desk.call('PATCH /connections/plant-7', back)).status).toBe(200)
  }
})

test('scenario 13: a change that keeps the target needs no password', async () => {
  await withPassword()
  const same = { host: '127.0.0.1', port: 1883, path: '/x', topics: ['a'], keepaliveS: 9 }
  expect((await desk.call('PATCH /connections/plant-7', same)).status).toBe(200)
  // 1883 is the default port of MQTT.
  expect((await desk.call('PATCH /connections/plant-7', { port: null })).status).toBe(200)
})

test('a password of the wrong type is refused without being repeated', async () => {
  desk = await Desk.open()
  const wrong = [{ password: [PASSWORD] }, { password: 4711_4711 }, { password: '' }]
  for (const body of [...wrong, { tls: { key: PASSWORD }, protocol: 'mqtts' }]) {
    const answer = await desk.call('POST /connections', { ...PLANT, username: 'u', ...body })
    expect(refusal(answer).code).toBe('422 validation')
    expect(answer.text).not.toMatch(/Pl4nted|47114711/)
  }
  // Parsers quote what they trip over.
  for (const broken of [`{"password":"${PASSWORD}"`, `{"password":${PASSWORD}}`])
    expect(refusal(await desk.call('POST /connections', broken)).code).toBe('400 bad_request')
  expect([...desk.answers, ...desk.log].join('\n')).not.toContain('Pl4nted')
})

test('without a key a password is refused, a reference is taken', async () => {
  desk = await Desk.open({ MQTT_SECRET_KEYS: '' })
  const row = { ...PLANT, username: 'u' }
  const answer = await desk.call('POST /connections', { ...row, password: PASSWORD })
  expect(refusal(answer).code).toBe('503 secret_key_missing')
  expect(await desk.database.sql`select from connections`).toHaveLength(0)
  const reference = 'env:MQTT_SECRET_PLANT_7'
  const created = await desk.call('POST /connections', { ...row, password: reference })
  expect(created.body).toMatchObject({ hasPassword: true, passwordReference: reference })
})

test('a reference names secrets of the server, so only a token for every site may use one', async () => {
  desk = await Desk.open()
  const token = await desk.token({ sites: ['s1'] })
  const row = { ...PLANT, username: 'u', password: 'env:MQTT_SECRET_OF_ANOTHER_SITE' }
  expect(refusal(await desk.call('POST /connections', row, token)).fields).toEqual([
    'password reference_forbidden',
  ])
  expect(refusal(await desk.call('POST /connections/test', row, token)).fields).toEqual([
    'password reference_forbidden',
  ])
  for (const password of ['env:PATH', 'env:MQTT_SECRET_KEYS', 'file:/etc/passwd'])
    expect(refusal(await desk.call('POST /connections', { ...row, password })).fields).toEqual([
      'password reference',
    ])
})

test('scenario 21: a planted password is in no reply, log or frame', async () => {
  const broker = await Broker.start()
  try {
    desk = await Desk.open({ SUPERVISOR: 'on', MQTT_SECRET_PLANT: PASSWORD })
    const heard: string[] = []
    const listener = postgres(desk.environment['DATABASE_URL'] ?? '', { max: 1 })
    await listener.listen('mqtt_status', (payload) => heard.push(`payload ${payload}`))
    const socket = new WebSocket(`${desk.url.replace('http', 'ws')}/ws/status`, 'mqtt-status.v1')
    socket.on('message', (data) => heard.push((data as Buffer).toString()))
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'hello', token: await desk.token({}) }))
    socket.send(JSON.stringify({ type: 'watch', id: 1, all: true, summary: ['*'] }))
    const stopSse = await listenToEvents(heard)

    const row = { ...PLANT, port: broker.port, username: 'u', desired: 'connected' }
    await desk.call('POST /connections', { ...row, password: PASSWORD })
    await desk.call('POST /connections', { ...row, id: 'b', password: 'env:MQTT_SECRET_PLANT' })
    await statusIs('plant-7', 'connected')
    await statusIs('b', 'connected')
    await desk.call('POST /connections/test', { ...row, password: PASSWORD })
    await desk.call('POST /connections/test', { id: 'plant-7' })
    await desk.call('PATCH /connections/plant-7', { topics: ['x'] })
    await desk.call('PATCH /connections/plant-7', { host: '127.0.0.2' })
    await desk.call('PATCH /connections/plant-7', { password: `${PASSWORD}2`, port: 'x' })
    await desk.call('POST /connections', `{"password": "${PASSWORD}", `)
    await desk.call('POST /connections', { [PASSWORD.slice(0, 3)]: 1, password: [PASSWORD] })
    await desk.call('POST /connections/plant-7/reconnect')
    await desk.call('POST /connections/plant-7/check')
    await desk.call('GET /connections/plant-7/settings')
    await desk.call('GET /connections')
    await desk.call('GET /audit')
    await broker.restart()
    await statusIs('plant-7', 'connected')
    const printed = [
      await desk.run(['connections', 'list', '--json']),
      await desk.run(['connections', 'export']),
      await desk.run(['connections', 'export', '--format', 'csv']),
      await desk.run(['secrets', 'rotate']),
      await desk.run(['doctor', '--json']),
    ].map(({ lines, error }) => [...lines, error ?? ''].join('\n'))
    await desk.call('DELETE /connections/plant-7')
    await until(() => heard.some((text) => text.includes('"removed":[{"id":"plant-7"')))
    socket.terminate()
    await stopSse()
    await listener.end()

    const kinds = { answers: desk.answers, heard, log: desk.log, printed }
    for (const [kind, texts] of Object.entries(kinds)) {
      expect(texts.length, kind).toBeGreaterThan(3)
      expect(texts.join('\n'), kind).not.toContain('Pl4nted')
    }
    expect(heard.join('\n')).toContain('payload')
    expect(heard.join('\n')).toContain('event: patch')
    expect(desk.log.join('\n')).toContain('"status":"connected"')
    const dump = await desk.database.sql`
      select (select string_agg(s::text, '') from connection_secrets s) as secrets,
        (select string_agg(c::text, '') from connections c) as rows,
        (select string_agg(c::text, '') from commands c) as audit`
    expect(JSON.stringify(dump)).not.toContain('Pl4nted')
  } finally {
    await broker.stop()
  }
})

test('scenario 21: with the wrong key that row alone fails; the others connect, and a new password repairs it', async () => {
  const broker = await Broker.start()
  try {
    desk = await Desk.open({ SUPERVISOR: 'on', MQTT_SECRET_KEYS: `${K2},${KEYS}` })
    const row = { ...PLANT, port: broker.port, username: 'u', password: PASSWORD }
    await desk.call('POST /connections', row)
    await desk.call('POST /connections', { ...row, id: 'b' })
    // As if it had been written by a server with another key of the same name.
    await desk.database.sql`
      update connection_secrets set tag = '\\x00000000000000000000000000000000'
      where connection_id = 'b'`
    await desk.call('POST /connections/plant-7/connect')
    await desk.call('POST /connections/b/connect')
    await statusIs('plant-7', 'connected')
    await until(async () => (await rowOf('b')).reason === 'secret_unreadable')
    expect((await desk.call('POST /connections/test', { id: 'b' })).body).toMatchObject({
      ok: false,
      reason: 'secret_unreadable',
    })
    await desk.call('PATCH /connections/b', { password: PASSWORD })
    await statusIs('b', 'connected')
    expect((await rowOf('plant-7')).status).toBe('connected')
  } finally {
    await broker.stop()
  }
})

test('scenario 21: a rotation closes no connection, and the next dial succeeds', async () => {
  const broker = await Broker.start()
  try {
    desk = await Desk.open({ SUPERVISOR: 'on', MQTT_SECRET_KEYS: `${KEYS},${K2}` })
    const row = { ...PLANT, port: broker.port, clientId: 'plant-7', desired: 'connected' }
    await desk.call('POST /connections', { ...row, username: 'u', password: PASSWORD })
    await statusIs('plant-7', 'connected')
    const { revision } = await rowOf('plant-7')
    const rotated = await desk.run(['secrets', 'rotate'], { MQTT_SECRET_KEYS: `${K2},${KEYS}` })
    expect(rotated).toMatchObject({
      error: null,
      lines: ['1 of 1', expect.stringContaining('"k2"'), expect.stringContaining('No secret')],
    })
    expect((await rowOf('plant-7')).revision).toBe(revision)
    expect(broker.connects('plant-7')).toBe(1)
    await desk.call('POST /connections/plant-7/reconnect')
    await until(() => broker.connects('plant-7') === 2)
    await statusIs('plant-7', 'connected')
  } finally {
    await broker.stop()
  }
})

test('the server dials with a changed password at once', async () => {
  const broker = await Broker.start()
  try {
    desk = await Desk.open({ SUPERVISOR: 'on' })
    const row = { ...PLANT, port: broker.port, clientId: 'plant-7', desired: 'connected' }
    await desk.call('POST /connections', { ...row, username: 'u', password: PASSWORD })
    await statusIs('plant-7', 'connected')
    await desk.call('PATCH /connections/plant-7', { password: 'another' })
    await until(() => broker.connects('plant-7') === 2)
    await statusIs('plant-7', 'connected')
  } finally {
    await broker.stop()
  }
})

test('a server that can read none of the stored secrets does not start, and says what to do', async () => {
  await withPassword()
  const start = (keys: string): Promise<string> =>
    desk.startAnother({ MQTT_SECRET_KEYS: keys, SUPERVISOR: 'on' })
  expect(await start('')).toMatch(/MQTT_SECRET_KEYS is not set[^]*never generates keys/)
  expect(await start(K2)).toContain('none of the keys in MQTT_SECRET_KEYS')
  expect(await start(KEYS)).toBe('has started')
})

test('the server sends the stored password to the broker', async () => {
  const broker = await Broker.start({
    connack: ({ password }) => (password === PASSWORD ? 0 : 4),
  })
  try {
    desk = await Desk.open({ SUPERVISOR: 'on', MQTT_SECRET_PLANT: PASSWORD })
    const row = { ...PLANT, port: broker.port, username: 'u', desired: 'connected' }
    await desk.call('POST /connections', { ...row, password: PASSWORD })
    await desk.call('POST /connections', { ...row, id: 'b', password: 'env:MQTT_SECRET_PLANT' })
    await desk.call('POST /connections', { ...row, id: 'c', password: 'wrong' })
    await statusIs('plant-7', 'connected')
    await statusIs('b', 'connected')
    await until(async () => (await rowOf('c')).reason === 'bad_credentials')
    // Stored ones are used for a test, too, as long as they go to the same place.
    expect((await desk.call('POST /connections/test', { id: 'b' })).body).toMatchObject({
      ok: true,
    })
    expect((await desk.call('POST /connections/test', { id: 'c' })).body).toMatchObject({
      ok: false,
      reason: 'bad_credentials',
    })
    expect((await desk.call('POST /connections/plant-7/check')).body).toMatchObject({ ok: true })
  } finally {
    await broker.stop()
  }
})

test('scenario 21: where a broker repeats the password, the detail does not', async () => {
  const broker = await ScriptedBroker.start({
    onConnect: (connection, { password }) => {
      connection.connack(0)
      connection.send({
        cmd: 'disconnect',
        reasonCode: 151,
        properties: { reasonString: `No more for ${String(password)} today` },
      })
    },
  })
  try {
    desk = await Desk.open({ SUPERVISOR: 'on' })
    await desk.call('POST /connections', {
      ...{ ...PLANT, port: broker.port, protocolVersion: 5, desired: 'connected' },
      ...{ username: 'u', password: PASSWORD },
    })
    const row = await until(async () => {
      const found = await rowOf('plant-7')
      return found.reason === 'quota' ? found : null
    })
    expect(row?.detail).toBe('No more for … today')
    expect([...desk.answers, ...desk.log].join('\n')).not.toContain('Pl4nted')
  } finally {
    await broker.stop()
  }
})

test('a private key is a secret like a password: it connects, leaves the server in no answer, and must fit its certificate', async () => {
  const authority = await Authority.create()
  const other = await authority.sign()
  const client = await authority.sign({ notAfter: new Date('2100-01-01T00:00:00Z') })
  const broker = await Mosquitto.start({
    tls: { ...(await authority.sign()), clientCa: authority.cert },
  })
  try {
    desk = await Desk.open({ SUPERVISOR: 'on' })
    const tls = { ca: authority.cert, cert: client.cert }
    const row = { ...PLANT, protocol: 'mqtts', port: broker.port, desired: 'connected' }
    const refused = async (body: object): Promise<string[]> =>
      refusal(await desk.call('POST /connections', { ...row, tls: body })).fields
    expect(await refused(tls)).toEqual(['tls.key conflict'])
    expect(await refused({ ...tls, key: other.key })).toEqual(['tls.key conflict'])
    expect(await refused({ ...tls, key: 'no key' })).toEqual(['tls.key format'])

    const created = await desk.call('POST /connections', {
      ...row,
      tls: { ...tls, key: client.key },
    })
    expect(created.body['tls']).toEqual({
      ...tls,
      servername: null,
      hasKey: true,
      keyUpdatedAt: expect.any(String) as string,
      keyReference: null,
      certificateExpiresAt: '2100-01-01T00:00:00.000Z',
    })
    await statusIs('plant-7', 'connected')

    const patch = async (change: object): Promise<string[]> => {
      const answer = await desk.call('PATCH /connections/plant-7', { tls: change })
      return answer.status === 200 ? ['200'] : refusal(answer).fields
    }
    // The one that is stored is looked at, too.
    expect(await patch({ cert: other.cert })).toEqual(['tls.key conflict'])
    expect(await patch({ servername: 'localhost' })).toEqual(['tls.key required_anew'])
    expect(await patch({ ca: null })).toEqual(['tls.key required_anew'])
    expect(await patch({ servername: 'localhost', key: client.key })).toEqual(['200'])
    expect(await patch({ cert: other.cert, key: other.key })).toEqual(['200'])
    await statusIs('plant-7', 'connected')
    expect(await patch({ key: null })).toEqual(['tls.key conflict'])
    expect(await patch({ cert: null, key: null })).toEqual(['200'])
    const lines = client.key.split('\n').filter((line) => line.length > 40)
    const said = [...desk.answers, ...desk.log].join('\n')
    for (const line of lines) expect(said).not.toContain(line)
  } finally {
    await broker.stop()
  }
})

interface Row {
  readonly detail: string | null
  readonly status: string
  readonly reason: string | null
  readonly revision: number
}

async function rowOf(id: string): Promise<Row> {
  return (await desk.call(`GET /connections/${id}`)).body as unknown as Row
}

async function statusIs(id: string, status: string): Promise<void> {
  await until(
    async () => {
      const [found] = await desk.database.sql`
        select status, observed_generation = generation as settled from connections where id = ${id}`
      return found?.['status'] === status && found['settled'] === true
    },
    { what: `${id} to be ${status}; the log: ${desk.log.slice(-5).join('')}` },
  )
}

async function listenToEvents(heard: string[]): Promise<() => Promise<void>> {
  const ending = new AbortController()
  const response = await fetch(`${desk.url}/sse/status?all=1`, {
    headers: { authorization: `Bearer ${await desk.token({})}` },
    signal: ending.signal,
  })
  const reading = (async () => {
    for await (const chunk of response.body ?? []) heard.push(Buffer.from(chunk).toString())
  })().catch(() => undefined)
  return async () => {
    ending.abort()
    await reading
  }
}
