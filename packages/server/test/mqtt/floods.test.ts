/** Brokers that send without end, and read nothing: what they can make this process hold, and how long others wait. */
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, TLSSocket } from 'node:tls'
import { Authority } from '@mqtt-status/testing/certificates'
import type { Certificate } from '@mqtt-status/testing/certificates'
import { encode, ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import type { Script, ScriptedConnection } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { beforeAll, expect, test } from 'vitest'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { validateSettings } from '../../src/mqtt/session/dial-settings.ts'
import type { Failure } from '../../src/mqtt/reasons/failure.ts'
import { Session } from '../../src/mqtt/session/session.ts'
import type { Message } from '../../src/mqtt/session/session.ts'
import { atEnd, kept } from './stage.ts'
import { NOTHING } from './world.ts'

const MIB = 1024 * 1024
const MAX_PACKET_BYTES = 256 * 1024
/** More than the buffers of the operating system take of a stream that is not read. */
const KERNEL_BYTES = 16 * MIB

type Protocol = 'mqtt' | 'mqtts' | 'ws' | 'wss'
const PROTOCOLS: readonly Protocol[] = ['mqtt', 'mqtts', 'ws', 'wss']
const WAYS = PROTOCOLS.flatMap((protocol) => [[protocol, 4] as const, [protocol, 5] as const])

let authority: Authority
let certificate: Certificate

beforeAll(async () => {
  authority = await Authority.create()
  certificate = await authority.sign()
})

function opens(protocol: Protocol): NonNullable<Script['opens']> {
  const web = createServer()
  const sockets = new WebSocketServer({ server: web, handleProtocols: () => 'mqtt' })
  return (socket, serve) => {
    const secure = protocol === 'mqtts' || protocol === 'wss' ? encrypted(socket) : socket
    if (protocol === 'mqtt' || protocol === 'mqtts') {
      serve(secure)
      return
    }
    sockets.once('connection', (websocket) => {
      serve(createWebSocketStream(websocket))
    })
    web.emit('connection', secure)
  }
}

function encrypted(socket: Socket): TLSSocket {
  const { cert, key } = certificate
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: createSecureContext({ cert, key }),
  })
  return secure.on('error', () => undefined)
}

/** Writes chunks as fast as the client takes them, until there are no more. */
function flood(stream: Duplex, next: () => Buffer | null): void {
  const write = (): void => {
    while (stream.writable) {
      const chunk = next()
      if (chunk === null || !stream.write(chunk)) break
    }
  }
  stream.on('drain', write)
  write()
}

function publish(
  qos: 0 | 1 | 2,
  id: number,
  payloadBytes: number,
  version: number,
  topic = 'plant/a',
): Buffer {
  const about = { cmd: 'publish', topic, dup: false, retain: false } as const
  return encode({ ...about, qos, messageId: id, payload: Buffer.alloc(payloadBytes) }, version)
}

/** A broker that attacks each client once it has subscribed, and keeps the codes of the DISCONNECTs that it receives. */
async function hostile(
  protocol: Protocol,
  attack: (connection: ScriptedConnection) => void,
): Promise<{ readonly broker: ScriptedBroker; readonly disconnects: (number | undefined)[] }> {
  const disconnects: (number | undefined)[] = []
  const broker = kept(
    await ScriptedBroker.start({
      ...WILLING,
      opens: opens(protocol),
      onSubscribe: (connection, packet) => {
        WILLING.onSubscribe?.(connection, packet)
        attack(connection)
      },
      onPacket: (_connection, packet) => {
        if (packet.cmd === 'disconnect') disconnects.push(packet.reasonCode)
      },
    }),
  )
  return { broker, disconnects }
}

interface Dialled {
  readonly messages: Message[]
  readonly session: Session
  failure: Failure | null
  isUp: boolean
}

/** A session as the supervisor has it. */
function dial(protocol: Protocol, protocolVersion: number, { port }: ScriptedBroker): Dialled {
  const tls = protocol === 'mqtts' || protocol === 'wss' ? { ca: authority.cert } : null
  const valid = validateSettings({
    ...{ ...NOTHING, protocol, protocolVersion, port, tls, keepaliveS: 60 },
  })
  if (!valid.ok) throw new Error('The settings of the test are not valid.')
  const messages: Message[] = []
  const target = { settings: valid.settings, addresses: ['127.0.0.1'], clientId: 'test' }
  const session = Session.dial(
    { ...target, plan: { portions: [['plant/#']], leftOut: [] } },
    {
      onOpen: () => (dialled.isUp = true),
      onEnd: (failure) => (dialled.failure = failure),
      onMessage: (message) => messages.push(message),
    },
  )
  const dialled: Dialled = { messages, session, failure: null, isUp: false }
  atEnd(() => session.close())
  return dialled
}

test.each(WAYS)(
  'over %s in version %i, a packet of 256 MB ends the session when its header has arrived',
  async (protocol, version) => {
    let sent = 0
    const { broker, disconnects } = await hostile(protocol, ({ stream }) => {
      stream.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61]))
      flood(stream, () => {
        sent += MIB / 4
        return Buffer.alloc(MIB / 4)
      })
    })
    const dialled = dial(protocol, version, broker)
    await until(() => dialled.failure, { what: 'the session to end' })
    expect(dialled.failure).toMatchObject({
      reason: 'protocol_error',
      detail: expect.stringContaining('a packet of 268435460 bytes') as string,
    })
    if (version === 5)
      await until(() => disconnects.length > 0, { what: 'the broker to receive a DISCONNECT' })
    await until(() => broker.sockets === 0, { what: 'the connection to be closed' })
    expect(disconnects).toEqual(version === 5 ? [149] : [])
    expect(sent).toBeLessThan(KERNEL_BYTES)
  },
)

test.each(WAYS)(
  'over %s in version %i, a packet of 256 KiB is delivered, and one of a byte more ends the session',
  async (protocol, version) => {
    const overhead = 1 + 3 + 2 + 'plant/a'.length + (version === 5 ? 1 : 0)
    const largest = Buffer.alloc(MAX_PACKET_BYTES - overhead)
    const { broker } = await hostile(protocol, (connection) => {
      connection.publish('plant/a', largest)
    })
    const dialled = dial(protocol, version, broker)
    await until(() => dialled.messages.length === 1, { what: 'the message to arrive' })
    expect(dialled.messages[0]?.payload.length).toBe(largest.length)
    broker.connections[0]?.publish('plant/a', Buffer.concat([largest, Buffer.alloc(1)]))
    await until(() => dialled.failure?.reason === 'protocol_error', { what: 'the session to end' })
  },
)

test.each(WAYS)(
  'over %s in version %i, a broker may have 32 messages with QoS 2 unreleased, and their payloads are not kept',
  async (protocol, version) => {
    const { broker, disconnects } = await hostile(protocol, ({ stream }) => {
      // The same 32 again: a broker may repeat what it has not released.
      for (let round = 0; round < 2; round++)
        for (let id = 1; id <= 32; id++) stream.write(publish(2, id, 1_000, version))
    })
    const dialled = dial(protocol, version, broker)
    await until(() => dialled.messages.length === 32, { what: 'all messages to arrive once' })
    const [connection] = broker.connections
    // PUBREL frees the identifiers for others.
    for (let id = 1; id <= 32; id++) connection?.send({ cmd: 'pubrel', messageId: id })
    for (let id = 101; id <= 132; id++) connection?.stream.write(publish(2, id, 1_000, version))
    await until(() => dialled.messages.length === 64, { what: 'the next ones to arrive once' })
    expect(dialled.failure).toBeNull()
    connection?.stream.write(publish(2, 200, 1_000, version))
    await until(() => dialled.failure, { what: 'the session to end' })
    expect(dialled.failure).toMatchObject({
      reason: 'protocol_error',
      detail: expect.stringContaining('32 messages with QoS 2') as string,
    })
    await until(() => broker.sockets === 0, { what: 'the connection to be closed' })
    expect(disconnects).toEqual(version === 5 ? [147] : [])
    expect(dialled.messages).toHaveLength(64)
  },
)

/** What a broker can send without end so that the server has to answer each time. */
const ASKING: Readonly<Record<string, (id: number, version: number) => Buffer>> = {
  'QoS 1': (id, version) => publish(1, id, 0, version, 'a'),
  // The same identifier again, which the server acknowledges once more.
  'QoS 2': (_id, version) => publish(2, 1, 0, version, 'a'),
  PUBREL: (id, version) => encode({ cmd: 'pubrel', messageId: id }, version),
}

test.each([
  ...PROTOCOLS.map((protocol) => ['QoS 1', protocol, 5] as const),
  ['QoS 1', 'mqtt', 4] as const,
  ['QoS 2', 'mqtt', 4] as const,
  ['PUBREL', 'mqtt', 4] as const,
])(
  'a broker that sends %s over %s in version %i and reads no answer can not send more than buffers hold',
  async (what, protocol, version) => {
    const packets = Buffer.concat(
      Array.from({ length: 5_000 }, (_, i) => ASKING[what]?.(i + 1, version) ?? Buffer.alloc(0)),
    )
    let sent = 0
    const { broker } = await hostile(protocol, ({ stream, socket }) => {
      socket.pause()
      stream.pause()
      flood(stream, () => {
        sent += packets.length
        return sent < 3 * KERNEL_BYTES ? packets : null
      })
    })
    const dialled = dial(protocol, version, broker)
    await until(() => sent > 0, { what: 'the flood to begin' })
    // Neither side takes another byte.
    let before = 0
    let still = 0
    await until(
      () => {
        still = sent === before ? still + 1 : 0
        before = sent
        return still === 20
      },
      { timeoutMs: 60_000, what: 'the flood to end' },
    )
    expect(sent).toBeLessThan(3 * KERNEL_BYTES)
    await dialled.session.close()
  },
)

test('while a broker floods its session, messages of another one arrive in between', async () => {
  const packets = 50_000
  const chunk = Buffer.concat(Array.from({ length: packets }, () => publish(0, 0, 0, 4)))
  const flooding = await hostile('mqtt', () => undefined)
  const calm = await hostile('mqtt', () => undefined)
  const busy = dial('mqtt', 4, flooding.broker)
  const other = dial('mqtt', 4, calm.broker)
  await until(() => busy.isUp && other.isUp, { what: 'both to be up' })
  flooding.broker.connections[0]?.stream.write(chunk)
  await until(() => busy.messages.length > 0, { what: 'the flood to begin' })
  calm.broker.connections[0]?.publish('plant/b', 'x')
  let arrivedAfter = -1
  await until(
    () => {
      if (other.messages.length > 0 && arrivedAfter < 0) arrivedAfter = busy.messages.length
      return busy.messages.length === packets
    },
    { timeoutMs: 60_000, what: 'the flood to end' },
  )
  expect(arrivedAfter).toBeGreaterThan(0)
  expect(arrivedAfter).toBeLessThan(packets)
})
