/** Where names are looked up, with a real name server, and what one that is silent costs others. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NameServer } from '@mqtt-status/testing/name-server'
import type { NameAnswer } from '@mqtt-status/testing/name-server'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { fromLookup } from '../../src/mqtt/reasons/classify-failure.ts'
import { Resolver } from '../../src/dns/resolver.ts'
import type { Asker, ResolverOptions } from '../../src/dns/resolver.ts'
import { atEnd, kept } from './stage.ts'

const PATIENT = new AbortController().signal

function asker(site = 'a', change: Partial<Asker> = {}): Asker {
  return { site, purpose: 'dial', signal: PATIENT, ...change }
}

const ANSWERS: Readonly<Record<string, NameAnswer>> = {
  'four.test': ['192.0.2.1', '192.0.2.2'],
  'six.test': ['2001:db8::1'],
  'both.test': ['192.0.2.1', '2001:db8::1'],
  'broken.test': 'broken',
  'silent.test': 'silence',
  'empty.test': [],
  // A name of the hosts file: the resolver must not ask the name server for it.
  'listed.test': ['192.0.2.99'],
}

async function resolverOf(options: ResolverOptions = {}): Promise<{
  readonly resolver: Resolver
  readonly server: NameServer
}> {
  const server = kept(
    await NameServer.start((name) =>
      name.endsWith('.silent.test') ? 'silence' : (ANSWERS[name] ?? 'unknown'),
    ),
  )
  const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
  atEnd(() => Promise.resolve(rmSync(folder, { recursive: true })))
  const hostsFile = join(folder, 'hosts')
  writeFileSync(hostsFile, '10.0.0.7 listed.test\n')
  const resolver = new Resolver({
    servers: [server.address],
    hostsFile,
    system: (host) => Promise.reject(Object.assign(new Error(host), { code: 'ENOTFOUND' })),
    ...options,
  })
  return { resolver, server }
}

test.each([
  ['four.test', ['192.0.2.1', '192.0.2.2']],
  ['six.test', ['2001:db8::1']],
  ['both.test', ['192.0.2.1', '2001:db8::1']],
  ['FOUR.test', ['192.0.2.1', '192.0.2.2']],
  ['listed.test', ['10.0.0.7']],
  ['Listed.Test.', ['10.0.0.7']],
])('%s resolves to %j', async (host, addresses) => {
  const { resolver, server } = await resolverOf()
  const found = await resolver.resolve(host, asker())
  expect(found.map(({ address }) => address).toSorted()).toEqual(addresses)
  expect(server.asked.includes('listed.test')).toBe(false)
  expect(resolver.isIdle).toBe(true)
})

test.each([
  ['unknown.test', 'dns_not_found'],
  ['empty.test', 'dns_not_found'],
  ['broken.test', 'dns_temporary'],
  ['silent.test', 'dns_temporary'],
])('%s is %s', async (host, reason) => {
  const { resolver } = await resolverOf()
  const failure = await resolver.resolve(host, asker()).then(() => null, fromLookup)
  expect(failure?.reason).toBe(reason)
  expect(resolver.isIdle).toBe(true)
})

test('a name that only the operating system knows is found there', async () => {
  const asked: string[] = []
  const { resolver } = await resolverOf({
    system: (host) => {
      asked.push(host)
      return Promise.resolve([{ address: '10.0.0.8', family: 4 }])
    },
  })
  expect(await resolver.resolve('printer', asker())).toEqual([{ address: '10.0.0.8', family: 4 }])
  for (const host of ['four.test', 'listed.test']) await resolver.resolve(host, asker())
  for (const host of ['broken.test', 'silent.test'])
    await expect(resolver.resolve(host, asker())).rejects.toThrow()
  expect(asked).toEqual(['printer'])
})

test('a machine without a name server asks the operating system', async () => {
  const { server } = await resolverOf()
  const { address } = server
  const { resolver } = await resolverOf({ servers: [`127.0.0.9:${address.split(':')[1] ?? ''}`] })
  await expect(resolver.resolve('four.test', asker())).rejects.toMatchObject({ code: 'ENOTFOUND' })
})

test('the operating system is asked for two names at a time, and for one of each site, until it really answers', async () => {
  const asked: string[] = []
  const ends = new Map<string, () => void>()
  const { resolver } = await resolverOf({
    system: (host) =>
      new Promise((resolve) => {
        asked.push(host)
        ends.set(host, () => {
          resolve([{ address: '10.0.0.8', family: 4 }])
        })
      }),
  })
  const all = [
    ...['a1', 'a2', 'a3'].map((host) => resolver.resolve(host, asker('a'))),
    resolver.resolve('b1', asker('b')),
    resolver.resolve('c1', asker('c')),
  ]
  await until(() => asked.length === 2)
  expect(asked.map((host) => host.charAt(0))).toEqual(['a', 'b'])
  const answered = new Set<string>()
  while (answered.size < all.length) {
    const next = (await until(() => asked.find((host) => !answered.has(host)))) ?? ''
    expect(asked.length - answered.size).toBeLessThanOrEqual(2)
    answered.add(next)
    ends.get(next)?.()
  }
  // The wait for the later ones may be over; their lookups have their turns all the same.
  await Promise.allSettled(all)
  await until(() => resolver.isIdle)
  // Both other sites have had a turn before the site with three names had its second one.
  const order = asked.map((host) => host.charAt(0)).join('')
  expect(order.indexOf('c')).toBeLessThan(order.lastIndexOf('a'))
})

test('lookups of one name at the same time share an answer, whatever their sites', async () => {
  const { resolver, server } = await resolverOf()
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => resolver.resolve('both.test', asker(`site${i % 5}`))),
  )
  // Once for each family.
  expect(server.asked.filter((name) => name === 'both.test')).toHaveLength(2)
})

test('five hundred unanswered names of one site delay neither another site nor a request of a manager of the same site', async () => {
  const { resolver, server } = await resolverOf()
  const gone = new AbortController()
  const silent = Array.from({ length: 500 }, (_, i) =>
    resolver.resolve(`n${i}.silent.test`, asker('a', { signal: gone.signal })).catch(fromLookup),
  )
  await until(() => server.asked.some((name) => name.endsWith('.silent.test')))
  for (const host of ['four.test', 'six.test', 'listed.test'])
    expect(await resolver.resolve(host, asker('b'))).not.toEqual([])
  expect(await resolver.resolve('both.test', asker('a', { purpose: 'settings' }))).not.toEqual([])
  // Most of the five hundred still wait for their turn.
  expect(new Set(server.asked).size).toBeLessThan(100)
  gone.abort()
  const failures = await Promise.all(silent)
  expect(failures.every((failure) => 'reason' in failure)).toBe(true)
  await until(() => resolver.isIdle)
})
