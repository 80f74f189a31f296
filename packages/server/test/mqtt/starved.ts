/**
 * A process of its own for `starved.test.ts`, started with a low limit of file descriptors. It uses all of them up, dials,
 * gives them back, and prints what it has seen as JSON.
 */
import { closeSync, openSync } from 'node:fs'
import { until } from '@mqtt-status/testing/until'
import { resolveReference, UnreadableReference } from '../../src/db/secrets/secret-reference.ts'
import { DialGuard } from '../../src/mqtt/dial/dial-guard.ts'
import type { GuardRules } from '../../src/mqtt/dial/dial-guard.ts'
import { Probe } from '../../src/mqtt/dial/probe.ts'
import { Resolver } from '../../src/dns/resolver.ts'
import { NOTHING, World } from './world.ts'

const [port, folder] = [Number(process.argv[2]), String(process.argv[3])]
const IDS = ['numbered0', 'numbered1', 'numbered2', 'numbered3', 'named0', 'named1']

const world = new World()
world.add('up', { port })
await world.status('up', 'connected')
const allow: GuardRules = { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535]] }
const probe = new Probe({ guard: new DialGuard(allow, new Resolver()) })
// The first lookup opens files that stay open.
await probe.run({ stored: { ...NOTHING, host: 'localhost', port }, site: 's1' })

const taken: number[] = []
for (let isFull = false; !isFull;) {
  try {
    taken.push(openSync('/dev/null', 'r'))
  } catch {
    isFull = true
  }
}
for (const id of IDS)
  world.add(id, { port, host: id.startsWith('named') ? 'localhost' : '127.0.0.1' })
for (const id of IDS) await world.status(id, 'reconnecting', 'local_resources')
const probed = [
  await probe.run({ stored: { ...NOTHING, port }, site: 's1' }),
  await probe.run({ stored: { ...NOTHING, port, host: 'localhost' }, site: 's1' }),
].map(({ reason }) => reason)
const secret = await resolveReference(`file:${folder}/secret`, {
  variable: () => undefined,
  folder,
}).catch((error: unknown) => (error instanceof UnreadableReference ? error.obstacle : 'fault'))

for (const fd of taken) closeSync(fd)
for (const id of IDS) await world.status(id, 'connected')
const again = await resolveReference(`file:${folder}/secret`, { variable: () => undefined, folder })
const { written } = world
await world.supervisor.stop()
await until(() => !process.getActiveResourcesInfo().includes('TCPSocketWrap'))
process.stdout.write(JSON.stringify({ taken: taken.length, written, probed, secret, again }))
