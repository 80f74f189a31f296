/** What one row does to its broker, and the broker to it, is not felt by the rows beside it. */
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import type { Script, ScriptedConnection } from '@mqtt-status/testing/scripted-broker'
import { freePort } from '@mqtt-status/testing/free-port'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { TIMING } from '../../src/mqtt/session/session-state.ts'
import { kept, world } from './stage.ts'
import type { World } from './world.ts'

/** Everything is tried again at once, so that a row in trouble dials all the time. */
const RESTLESS = {
  ...TIMING,
  transient: { baseMs: 20, capMs: 40 },
  slow: { baseMs: 20, capMs: 40 },
  probeMs: 20,
}
const BAD = 'bad'
const PATIENCE = { timeoutMs: 30_000 }

/** The answers of a broker to the client with the id `bad`; it accepts all others. */
type Treatment = (connection: ScriptedConnection) => void

function treating(treatment: Treatment, rest: Script = {}): Script & { readonly dials: string[] } {
  const dials: string[] = []
  const onConnect: Script['onConnect'] = (connection, { clientId }) => {
    dials.push(clientId)
    if (clientId === BAD) treatment(connection)
    else connection.connack(0)
  }
  return { ...WILLING, ...rest, dials, onConnect }
}

/** The broker keeps a note of whom it serves, because only CONNECT names the client. */
function forBad(treatment: Treatment): Script & { readonly dials: string[] } {
  const bad = new WeakSet<ScriptedConnection>()
  return treating(
    (connection) => {
      bad.add(connection)
      connection.connack(0)
    },
    {
      onSubscribe(connection, packet) {
        if (bad.has(connection)) treatment(connection)
        else WILLING.onSubscribe?.(connection, packet)
      },
    },
  )
}

const TREATMENTS: Readonly<Record<string, Script & { readonly dials: string[] }>> = {
  'refused: protocol version': treating((it) => {
    it.connack(1)
  }),
  'refused: client id': treating((it) => {
    it.connack(2)
  }),
  'refused: unavailable': treating((it) => {
    it.connack(3)
  }),
  'refused: wrong password': treating((it) => {
    it.connack(4)
  }),
  'refused: not authorized': treating((it) => {
    it.connack(5)
  }),
  'closed at CONNECT': treating((it) => it.socket.end()),
  'reset at CONNECT': treating((it) => it.socket.resetAndDestroy()),
  'answered with garbage': treating((it) => it.socket.write('SSH-2.0-OpenSSH_9.2\r\n')),
  'not answered': treating(() => undefined),
  'kicked after CONNACK': treating((it) => {
    it.connack(0)
    it.socket.end()
  }),
  'closed at SUBSCRIBE': forBad((it) => it.socket.end()),
  'reset at SUBSCRIBE': forBad((it) => it.socket.resetAndDestroy()),
  'SUBSCRIBE not answered': forBad(() => undefined),
  'kicked after SUBACK': forBad((it) => {
    it.send({ cmd: 'suback', messageId: 1, granted: [0] })
    it.socket.end()
  }),
}

/** What was written of rows other than the bad one. */
function neighbours(it: World): readonly string[] {
  return it.written.filter((line) => !line.startsWith(`${BAD} `))
}

test.each(Object.entries(TREATMENTS))(
  'a row that is %s in a loop does not affect twenty rows of the same broker',
  async (name, script) => {
    const broker = kept(await ScriptedBroker.start(script))
    // Short enough for three silences, and long enough for a busy machine to serve twenty dials at once.
    const connectTimeoutMs = name.endsWith('not answered') ? 3_000 : 20_000
    const it = world({ timing: RESTLESS, connectTimeoutMs })
    const ids = Array.from({ length: 20 }, (_, i) => `good${i}`)
    for (const id of ids) it.add(id, { port: broker.port, clientId: id })
    for (const id of ids) await it.status(id, 'connected')
    it.add(BAD, { port: broker.port, clientId: BAD })
    const tries = (): number => script.dials.filter((id) => id === BAD).length
    await until(() => tries() >= 3, { ...PATIENCE, what: 'the bad row to dial again and again' })
    // A row whose forbidden topics are found does not search any more; a command starts the search again.
    it.command(BAD, 'reconnect')
    for (const id of ids) it.command(id, 'reconnect')
    for (const id of ids)
      await until(() => script.dials.filter((dialled) => dialled === id).length === 2, PATIENCE)
    for (const id of ids) await until(() => it.row(id).observedGeneration === 2, PATIENCE)
    for (const id of ids) await it.status(id, 'connected')
    const before = tries()
    it.command(BAD, 'reconnect')
    await until(() => tries() > before, PATIENCE)
    expect(neighbours(it).filter((line) => !/ (connecting|connected)\//.test(line))).toEqual([])
  },
)

test('a row with a wrong password does not affect a hundred rows of the same broker that start at the same time', async () => {
  const script = treating((it) => {
    it.connack(4)
  })
  const broker = kept(await ScriptedBroker.start(script))
  const it = world({ timing: RESTLESS })
  it.add(BAD, { port: broker.port, clientId: BAD })
  const ids = Array.from({ length: 100 }, (_, i) => `good${i}`)
  for (const id of ids) it.add(id, { port: broker.port, clientId: id })
  for (const id of ids) await it.status(id, 'connected')
  await it.status(BAD, 'failed', 'bad_credentials')
  expect(neighbours(it).filter((line) => !/ (connecting|connected)\//.test(line))).toEqual([])
})

test('one row at a time dials a broker that is down, and its return wakes all rows', async () => {
  const port = await freePort()
  const it = world({ timing: { ...RESTLESS, transient: { baseMs: 60_000, capMs: 60_000 } } })
  const ids = Array.from({ length: 100 }, (_, i) => `c${i}`)
  for (const id of ids) it.add(id, { port, topics: null })
  for (const id of ids) await it.status(id, 'reconnecting', 'connection_refused')
  const script: Script & { connects: number } = {
    connects: 0,
    onConnect(connection) {
      script.connects++
      connection.connack(0)
    },
  }
  const broker = kept(await ScriptedBroker.start(script, port))
  it.command('c0', 'reconnect')
  // The other ones wait for a minute by themselves.
  for (const id of ids) await it.status(id, 'connected')
  expect(broker.dials).toHaveLength(100)
})

test('a broker that accepts TCP and no client is down for all its rows after three tries', async () => {
  const broker = kept(await ScriptedBroker.start({ onConnect: ({ socket }) => socket.end() }))
  const it = world({ timing: { ...RESTLESS, transient: { baseMs: 60_000, capMs: 60_000 } } })
  const ids = Array.from({ length: 100 }, (_, i) => `c${i}`)
  for (const id of ids) it.add(id, { port: broker.port })
  for (const id of ids) await it.status(id, 'reconnecting', 'closed_by_broker')
  expect(broker.dials.length).toBeLessThan(20)
})
