/** MQTT.js as it comes: one client per connection, each with its own reconnect every second, all started at once. */
import { connect } from 'mqtt'

export interface MqttJsStart {
  readonly port: number
  /** So many in all. */
  readonly count: number
}

export interface MqttJsState {
  readonly connected: number
  /** When each was last connected, in ms of the wall clock. */
  readonly atMs: readonly number[]
}

const atMs: number[] = []
let connected = 0

function start({ port, count }: MqttJsStart): void {
  for (let i = atMs.length; i < count; i++) {
    atMs[i] = 0
    const client = connect({
      host: '127.0.0.1',
      port,
      clientId: `peer-${i}`,
      keepalive: 30,
      reconnectPeriod: 1_000,
      resubscribe: false,
    })
    let up = false
    client.on('connect', () => {
      client.subscribe(`plant/${i}/#`, () => {
        up = true
        connected++
        atMs[i] = performance.timeOrigin + performance.now()
      })
    })
    client.on('close', () => {
      if (up) connected--
      up = false
    })
    client.on('error', () => undefined)
  }
}

process.on('message', (message: { start?: MqttJsStart; state?: true }) => {
  if (message.start !== undefined) start(message.start)
  if (message.start !== undefined || message.state === true)
    process.send?.({ connections: { connected, atMs } satisfies MqttJsState })
})
