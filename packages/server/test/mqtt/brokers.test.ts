/** Against a real Mosquitto: user names, TLS, client certificates and WebSockets. */
import { Authority } from '@mqtt-status/testing/certificates'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { until } from '@mqtt-status/testing/until'
import { beforeAll, expect, test } from 'vitest'
import { CALM, kept, world } from './stage.ts'

const DAY_MS = 86_400_000
let authority: Authority
let stranger: Authority
let server: { cert: string; key: string }

beforeAll(async () => {
  authority = await Authority.create()
  stranger = await Authority.create('A stranger')
  server = await authority.sign()
})

test.each([4, 5])(
  'scenario 2: a wrong password over MQTT %i is refused, and another one is accepted without a restart',
  async (protocolVersion) => {
    const broker = kept(await Mosquitto.start({ users: { portal: 'right' } }))
    const it = world()
    it.secrets.set('a', { password: 'wrong' })
    it.add('a', { port: broker.port, protocolVersion, username: 'portal' })
    await it.status('a', 'failed', 'not_authorized')
    const dials = it.written.length
    expect(it.written.filter((line) => line === 'a failed/not_authorized')).toHaveLength(1)
    it.secrets.set('a', { password: 'right' })
    it.edit('a', (row) => row)
    await it.status('a', 'connected')
    // Statements are paced: on one machine `connecting` may be over before its turn has come.
    const since = it.written.slice(dials).filter((line) => line !== 'a connecting/command')
    expect(since).toEqual(['a connected/ok'])
  },
)

test.each([
  ['mqtts', 4],
  ['mqtts', 5],
  ['wss', 4],
  ['wss', 5],
] as const)('%s with MQTT %i and an authority of its own connects', async (protocol, version) => {
  const broker = kept(
    await Mosquitto.start({ tls: server, ...(protocol === 'wss' ? { websockets: true } : {}) }),
  )
  const it = world()
  it.add('a', {
    protocol,
    port: broker.port,
    protocolVersion: version,
    tls: { ca: authority.cert, servername: 'localhost' },
  })
  await it.status('a', 'connected')
  it.command('a', 'disconnect')
  await it.status('a', 'disconnected')
  await until(() => broker.disconnects('mqtt-status-0b7d3c1e-a') === 1)
})

test.each([4, 5])('ws with MQTT %i connects, at a path of its own', async (protocolVersion) => {
  const broker = kept(await Mosquitto.start({ websockets: true }))
  const it = world()
  it.add('a', { protocol: 'ws', port: broker.port, protocolVersion, path: '/some/where?x=1' })
  await it.status('a', 'connected')
})

test('scenario 4: a certificate of an unknown authority is tls_untrusted', async () => {
  const broker = kept(await Mosquitto.start({ tls: server }))
  const it = world({ timing: CALM })
  it.add('a', { protocol: 'mqtts', port: broker.port })
  it.add('b', { protocol: 'mqtts', port: broker.port, tls: { ca: stranger.cert } })
  await it.status('a', 'reconnecting', 'tls_untrusted')
  await it.status('b', 'reconnecting', 'tls_untrusted')
  expect(it.written.filter((line) => line.startsWith('a '))).toEqual([
    'a connecting/command',
    'a reconnecting/tls_untrusted',
  ])
})

test('scenario 4: a certificate that has expired is tls_expired, and one for another name is tls_hostname', async () => {
  const expired = await authority.sign({ notAfter: new Date(Date.now() - DAY_MS / 2) })
  const other = await authority.sign({ names: ['other.example'] })
  const [old, foreign] = [
    kept(await Mosquitto.start({ tls: expired })),
    kept(await Mosquitto.start({ tls: other })),
  ]
  const it = world({ timing: CALM })
  it.add('a', { protocol: 'mqtts', port: old.port, tls: { ca: authority.cert } })
  it.add('b', { protocol: 'mqtts', port: foreign.port, tls: { ca: authority.cert } })
  it.add('c', {
    protocol: 'mqtts',
    port: foreign.port,
    tls: { ca: authority.cert, servername: 'other.example' },
  })
  await it.status('a', 'reconnecting', 'tls_expired')
  await it.status('b', 'reconnecting', 'tls_hostname')
  await it.status('c', 'connected')
})

test('scenario 4: the server sends its client certificate, and a missing or wrong one is tls_client_cert', async () => {
  const broker = kept(await Mosquitto.start({ tls: { ...server, clientCa: authority.cert } }))
  const mine = await authority.sign({ names: ['portal'] })
  const wrong = await stranger.sign({ names: ['portal'] })
  const it = world({ timing: CALM })
  const dial = (tls: object) => ({
    protocol: 'mqtts',
    port: broker.port,
    tls: { ca: authority.cert, ...tls },
  })
  it.add('none', dial({}))
  it.add('wrong', dial({ cert: wrong.cert, key: wrong.key }))
  it.add('right', dial({ cert: mine.cert, key: mine.key }))
  it.secrets.set('apart', { tlsKey: mine.key })
  it.add('apart', dial({ cert: mine.cert }))
  it.add('mixed', dial({ cert: mine.cert, key: wrong.key }))
  await it.status('none', 'reconnecting', 'tls_client_cert')
  await it.status('wrong', 'reconnecting', 'tls_client_cert')
  await it.status('right', 'connected')
  await it.status('apart', 'connected')
  await it.status('mixed', 'failed', 'config_invalid')
})

test('scenario 4: TLS to a plain port, and plain to a TLS port, are failures, and the process lives', async () => {
  const [plain, secure] = [
    kept(await Mosquitto.start()),
    kept(await Mosquitto.start({ tls: server })),
  ]
  const it = world({ timing: CALM })
  it.add('a', { protocol: 'mqtts', port: plain.port })
  it.add('b', { protocol: 'mqtt', port: secure.port })
  await it.status('a', 'reconnecting')
  await it.status('b', 'reconnecting')
  for (const id of ['a', 'b'])
    expect(['connection_reset', 'closed_by_broker']).toContain(
      it.writes.findLast((write) => write.id === id)?.reason,
    )
})

test('scenario 9: a foreign client with the same client id is a conflict, and then dialled rarely', async () => {
  const broker = kept(await Mosquitto.start())
  const [ours, theirs] = [world(), world()]
  const dial = { port: broker.port, clientId: 'the-same' }
  ours.add('a', dial)
  await ours.status('a', 'connected')
  theirs.add('b', dial)
  await until(
    () => [...ours.writes, ...theirs.writes].some(({ reason }) => reason === 'client_id_conflict'),
    { timeoutMs: 25_000, what: 'the conflict to be named' },
  )
})
