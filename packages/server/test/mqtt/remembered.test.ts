/** What is remembered of rows and brokers ends with them. */
import { freePort } from '@mqtt-status/testing/free-port'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { Resolver } from '../../src/dns/resolver.ts'
import { CALM, kept, world } from './stage.ts'

const ROWS = 300
const ROUNDS = 3

test('after nine hundred rows of nine hundred hosts are added and deleted, the server remembers no host', async () => {
  const willing = kept(await ScriptedBroker.start(WILLING))
  const refusing = kept(await ScriptedBroker.start({ onConnect: (it) => it.connack(5) }))
  const picky = kept(
    await ScriptedBroker.start({ ...WILLING, onSubscribe: (it) => it.socket.end() }),
  )
  const silent = kept(await ScriptedBroker.start({}))
  const closed = await freePort()
  /** Every row meets one of these. */
  const fates = [
    { port: willing.port },
    { port: refusing.port },
    { port: picky.port },
    { port: silent.port },
    { port: closed },
    { port: willing.port, keepaliveS: -1 },
  ]
  const resolver = new Resolver({
    // Some names do not exist, some lead to two addresses, of which one is dead.
    lookup: (host) =>
      host.startsWith('none')
        ? Promise.reject(Object.assign(new Error(host), { code: 'ENOTFOUND' }))
        : Promise.resolve([
            { address: '127.0.0.9', family: 4 },
            { address: '127.0.0.1', family: 4 },
          ]),
  })
  const it = world({ resolver, connectTimeoutMs: 500, dialConcurrency: 200 })
  for (let round = 0; round < ROUNDS; round++) {
    const ids = Array.from({ length: ROWS }, (_, i) => `r${round}-${i}`)
    for (const [i, id] of ids.entries()) {
      const host = `${i % 7 === 0 ? 'none' : 'Broker'}${round}-${i}.example`
      it.add(id, { host, ...fates[i % fates.length] })
    }
    await until(() => ids.every((id) => it.row(id).status !== 'disconnected'))
    await until(() => ids.every((id) => it.row(id).status !== 'connecting'), { timeoutMs: 30_000 })
    // Another program writes over a few of them.
    for (const id of ids.slice(0, 20)) it.edit(id, (row) => ({ ...row, detail: 'from elsewhere' }))
    expect(it.supervisor.remembered).toBeGreaterThan(2 * ROWS)
    for (const id of ids) it.remove(id)
    await until(
      () => {
        it.supervisor.forget()
        return it.supervisor.remembered === 0
      },
      { what: `round ${round} to leave nothing behind` },
    )
    expect(resolver.isIdle).toBe(true)
  }
})

test('the server remembers a broker while a row dials it', async () => {
  const willing = kept(await ScriptedBroker.start(WILLING))
  const closed = await freePort()
  const it = world({ timing: CALM })
  it.add('up', { port: willing.port })
  it.add('waiting', { port: closed })
  await it.status('up', 'connected')
  await it.status('waiting', 'reconnecting')
  const before = it.supervisor.remembered
  it.supervisor.forget()
  expect(it.supervisor.remembered).toBe(before)
})
