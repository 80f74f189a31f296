/** Starts the parts of a test of the supervisor, and fails the test if a socket, a timer or a client at a broker stays open. */
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach } from 'vitest'
import { DialGuard } from '../../src/mqtt/dial/dial-guard.ts'
import type { GuardRules } from '../../src/mqtt/dial/dial-guard.ts'
import { Probe } from '../../src/mqtt/dial/probe.ts'
import { Resolver } from '../../src/dns/resolver.ts'
import type { Lookup } from '../../src/dns/resolver.ts'
import { TIMING } from '../../src/mqtt/session/session-state.ts'
import type { Timing } from '../../src/mqtt/session/session-state.ts'
import { World } from './world.ts'

interface Stoppable {
  stop(): Promise<void>
  /** Clients that are connected to it. */
  readonly sockets?: number
}

/** Waits so long that a test sees one failure and not the next. */
export const CALM: Timing = {
  ...TIMING,
  transient: { baseMs: 60_000, capMs: 60_000 },
  slow: { baseMs: 60_000, capMs: 60_000 },
}

const worlds: World[] = []
const others: Stoppable[] = []
let timersBefore = 0

/** Ends it after the test. */
export function kept<T extends Stoppable>(thing: T): T {
  others.push(thing)
  return thing
}

/** What tries settings out. */
export function probeOf({
  allow,
  lookup,
  connectTimeoutMs,
}: {
  readonly allow: GuardRules
  /** @default as this machine does */
  readonly lookup?: Lookup
  readonly connectTimeoutMs?: number
}): Probe {
  const resolver = new Resolver(lookup === undefined ? {} : { lookup })
  const guard = new DialGuard(allow, resolver)
  return new Probe({ guard, ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) })
}

/** Ends something after the test that has no `stop`. */
export function atEnd(stop: () => Promise<void>): void {
  others.push({ stop })
}

export function world(...options: ConstructorParameters<typeof World>): World {
  const made = new World(...options)
  worlds.push(made)
  return made
}

function resources(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length
}

beforeEach(() => {
  timersBefore = resources('Timeout')
})

afterEach(async () => {
  for (const { supervisor } of worlds.splice(0)) await supervisor.stop()
  // From the last to the first, so that a proxy goes before the broker that it hides from.
  for (const thing of others.splice(0).toReversed()) {
    await until(() => (thing.sockets ?? 0) === 0, { what: 'a broker to have no clients any more' })
    await thing.stop()
  }
  // The sockets of dials are clients; TCPServerWrap and pipes are vitest's own.
  await until(() => resources('TCPSocketWrap') === 0, { what: 'all sockets to be closed' })
  await until(() => resources('Timeout') <= timersBefore, { what: 'all timers to be cleared' })
})
