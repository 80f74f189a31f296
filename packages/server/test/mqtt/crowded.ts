/**
 * Run in a network namespace of its own with a handful of local ports: dials more connections to one broker than there
 * are ports, then gives some back. Prints what was seen.
 */
import { writeFileSync } from 'node:fs'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { TIMING } from '../../src/mqtt/session/session-state.ts'
import { DialGuard } from '../../src/mqtt/dial/dial-guard.ts'
import { Probe } from '../../src/mqtt/dial/probe.ts'
import { Resolver } from '../../src/dns/resolver.ts'
import { NOTHING, World } from './world.ts'

const PORTS = 8
/** Above the range, so that the listeners take none of its ports. */
const [CROWDED, OTHER] = [50_001, 50_002]
const LOW = 40_000

writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', `${LOW} ${LOW + PORTS - 1}`)
const crowded = await ScriptedBroker.start(WILLING, CROWDED)
const other = await ScriptedBroker.start(WILLING, OTHER)
const world = new World({
  timing: { ...TIMING, transient: { baseMs: 20, capMs: 100 } },
})
const ids = Array.from({ length: PORTS + 4 }, (_, i) => `c${i}`)
for (const id of ids) world.add(id, { port: CROWDED })
const isUp = (id: string): boolean => world.row(id).status === 'connected'
await until(
  () =>
    ids.filter(isUp).length === PORTS &&
    ids.every((id) => isUp(id) || world.row(id).reason === 'local_ports_exhausted'),
  { what: `all ports to be taken after ${world.written.join(', ')}` },
)
const exhausted = ids.filter((id) => !isUp(id))
const details = exhausted.map((id) => world.writes.findLast((write) => write.id === id)?.detail)

// A port is only taken on the way to one address and port: another broker is reached, and gets no blame.
world.add('neighbour', { port: OTHER })
await world.status('neighbour', 'connected')
const allow = { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535] as const] }
const probe = new Probe({ guard: new DialGuard(allow, new Resolver()) })
const probed = await probe.run({ stored: { ...NOTHING, port: CROWDED }, site: 's1' })

// Users disconnect as many as had no port.
const leaving = ids.filter(isUp).slice(0, exhausted.length)
for (const id of leaving) world.command(id, 'disconnect')
for (const id of exhausted)
  await until(() => isUp(id), { timeoutMs: 60_000, what: `${id} to get a port` })
const { written } = world
await world.supervisor.stop()
await until(() => crowded.sockets + other.sockets === 0)
await crowded.stop()
await other.stop()
process.stdout.write(
  JSON.stringify({ exhausted: exhausted.length, details, probed: probed.reason, written }),
)
