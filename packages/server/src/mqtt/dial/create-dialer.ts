/** Builds the dialer of a supervisor: guard, gates, limits on dials, and the reader of secrets. */
import type { Log } from '../../log.ts'
import { FairQueue } from '../../model/fair-queue.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { DialGuard } from './dial-guard.ts'
import type { GuardRules } from './dial-guard.ts'
import { Dialer } from './dialer.ts'
import type { Permit } from './dialer.ts'
import { HostGates } from './host-gates.ts'
import { SecretReader } from './secret-reader.ts'
import type { ReadSecrets } from './secret-reader.ts'

export interface DialingOptions {
  readonly store: { readonly secrets?: ReadSecrets }
  readonly epoch: () => string
  readonly dialConcurrency: number
  readonly allow: GuardRules
  readonly permit: Permit
  readonly log: Log
  readonly resolver: Resolver
  readonly connectTimeoutMs?: number
}

/** The largest share of all dials that one host or one site gets, so that others can always dial. */
const SHARE_OF_ONE = 0.8
/** The time between two dials of a host that does not answer. */
const HOST_PROBE_MS = 100

export function createDialer(options: DialingOptions): Dialer {
  const { store, epoch, dialConcurrency, allow, permit, log, resolver, connectTimeoutMs } = options
  const ofOne = Math.ceil(dialConcurrency * SHARE_OF_ONE)
  return new Dialer({
    guard: new DialGuard(allow, resolver),
    places: new FairQueue({
      places: dialConcurrency,
      perParty: Math.max(1, Math.min(ofOne, dialConcurrency - 1)),
    }),
    gates: new HostGates({ most: ofOne, probeMs: HOST_PROBE_MS }),
    permit,
    secrets: store.secrets === undefined ? null : new SecretReader(store.secrets, log),
    clientId: (id) => `mqtt-status-${epoch().slice(0, 8)}-${id}`,
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  })
}
