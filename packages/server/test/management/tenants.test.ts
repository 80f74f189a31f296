/** What the names and brokers of one site do to another site: nothing, whatever way in is taken. */
import { NameServer } from '@mqtt-status/testing/name-server'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { Resolver } from '../../src/dns/resolver.ts'
import { Desk, PLANT } from './desk.ts'
import type { Answer } from './desk.ts'

const NAMES = 500
const SILENT_BROKERS = 60
const PATIENCE = { timeoutMs: 30_000 }

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

function kept<T extends { stop(): Promise<void> }>(thing: T): T {
  ends.push(() => thing.stop())
  return thing
}

test('unanswered names and silent brokers of one site delay no dial, save, test, check or command of another', async () => {
  const names = kept(
    await NameServer.start((name) => (name.endsWith('.silent.test') ? 'silence' : ['127.0.0.1'])),
  )
  const willing = kept(await ScriptedBroker.start(WILLING))
  const silent = kept(await ScriptedBroker.start({}))
  const desk = await Desk.open({ SUPERVISOR: 'on' }, new Resolver({ servers: [names.address] }))
  ends.push(() => desk.close())
  const { sql } = desk.database
  await sql`
    insert into connections (id, site_id, name, protocol, host, port, managed, desired, generation)
    select 'a' || n, 'a', 'A', 'mqtt',
      case when n <= ${NAMES} then 'n' || n || '.silent.test' else '127.0.0.1' end,
      ${silent.port}, true, 'connected', 1
    from generate_series(1, ${NAMES + SILENT_BROKERS}::int) as n`
  const silentNames = (): Set<string> =>
    new Set(names.asked.filter((name) => name.endsWith('.silent.test')))
  await until(() => silentNames().size >= 16 && silent.sockets > 0, {
    ...PATIENCE,
    what: 'the site a to hang',
  })

  // Persons of the site that hangs ask for more of it.
  const ofA = await desk.token({ subject: 'someone of a', sites: ['a'] })
  const hanging = (change: object): object => ({ ...PLANT, siteId: 'a', id: undefined, ...change })
  const tests = Array.from({ length: 10 }, () =>
    desk.call('POST /connections/test', hanging({ port: silent.port }), ofA),
  )
  const saves = Array.from({ length: 10 }, (_, i) =>
    desk.call('POST /connections', hanging({ host: `s${i}.silent.test` }), ofA),
  )
  await until(() => silentNames().has('s0.silent.test'), PATIENCE)

  const ofB = await desk.token({ subject: 'someone of b', sites: ['b'] })
  const call = (request: Parameters<Desk['call']>[0], body?: unknown): Promise<Answer> =>
    desk.call(request, body, ofB)
  const status = async (id: string, wanted: string): Promise<void> => {
    await until(
      async () => {
        const [row] = await sql<{ status: string }[]>`
          select status from connections where id = ${id}`
        return row?.status === wanted
      },
      { ...PATIENCE, what: `${id} to be ${wanted}` },
    )
  }
  for (const id of ['b0', 'b1', 'b2']) {
    const row = { ...PLANT, id, siteId: 'b', host: `${id}.test`, port: willing.port }
    expect((await call('POST /connections/test', row)).body).toMatchObject({ ok: true })
    expect((await call('POST /connections', { ...row, desired: 'connected' })).status).toBe(201)
    await status(id, 'connected')
    expect((await call(`POST /connections/${id}/check`)).body).toMatchObject({ ok: true })
    expect((await call(`POST /connections/${id}/disconnect`)).status).toBeLessThan(300)
    await status(id, 'disconnected')
    expect((await call(`POST /connections/${id}/connect`)).status).toBeLessThan(300)
    await status(id, 'connected')
  }
  // The site a hangs as before: most of its names have not even had their turn.
  expect(silentNames().size).toBeLessThan(NAMES)

  // Requests of managers of the same site are answered, too: saved, tested, or refused with Retry-After.
  expect((await Promise.all(saves)).map(({ status: code }) => code)).toEqual(saves.map(() => 201))
  const answers = await Promise.all(tests)
  for (const { status: code, body, headers } of answers) {
    if (code === 200) expect(body).toMatchObject({ ok: false, reason: 'connect_timeout' })
    else {
      expect(body).toMatchObject({ code: 'rate_limited' })
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
  }
  expect(answers.filter(({ status: code }) => code === 429).length).toBeGreaterThan(0)
  expect(answers.filter(({ status: code }) => code === 200).length).toBeGreaterThanOrEqual(4)
})
