/**
 * Tests settings before a manager saves them: dials like a connection, then closes. A probe tries the other addresses of the
 * host, and fewer topic filters, within one request; a connection tries them with its next dials.
 */
import { randomBytes } from 'node:crypto'
import { isOfAddress } from './addresses.ts'
import type { Step } from '../reasons/attribution.ts'
import type { DialGuard } from './dial-guard.ts'
import { filtersOf } from '../device/device.ts'
import { closedAt, forbids, NO_SEARCH, planOf } from '../session/filter-search.ts'
import type { FilterPlan } from '../session/filter-search.ts'
import { Session } from '../session/session.ts'
import type { Failure } from '../reasons/failure.ts'
import { checkSettings } from '../session/dial-settings.ts'
import type { DialSettings, Secrets } from '../session/dial-settings.ts'
import type { DialResult } from '../../model/check-result.ts'
import type { StoredDial } from '../../model/connection/settings.ts'

export interface ProbeOptions {
  readonly guard: DialGuard
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
}

export interface ProbeRequest {
  readonly stored: StoredDial
  /** @default none */
  readonly secrets?: Secrets
  /** The site that the lookup counts for: sites take turns. */
  readonly site: string
  /** Ends the probe, for example when the client has closed its request. */
  readonly signal?: AbortSignal
}

/** The outcome of one dial. */
interface Outcome {
  readonly failure: Failure | null
  readonly step: Step
  /** The topic filters of the SUBSCRIBE that the broker had not answered. */
  readonly asked: readonly string[]
  /** The addresses that the dial tried, including the one that answered. */
  readonly tried: readonly string[]
}

/** Longer than the time-outs of lookup and dial, so it ends a probe with many addresses only. */
const TIMEOUT_MS = 25_000

export class Probe {
  readonly #options: ProbeOptions

  constructor(options: ProbeOptions) {
    this.#options = options
  }

  /** Dials with a random client id, so that a connection that is up with these settings stays up. */
  async run({ stored, secrets = {}, site, signal }: ProbeRequest): Promise<DialResult> {
    const startedAt = performance.now()
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const ends = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    const failure = await this.#try({ settings: checkSettings(stored, secrets), site, ends })
    return {
      ok: failure === null,
      reason: failure?.reason ?? null,
      detail: failure?.detail ?? null,
      tookMs: Math.round(performance.now() - startedAt),
    }
  }

  async #try({
    settings,
    site,
    ends,
  }: {
    readonly settings: DialSettings | Failure
    readonly site: string
    readonly ends: AbortSignal
  }): Promise<Failure | null> {
    if ('reason' in settings) return settings
    const { guard } = this.#options
    const target = await guard.check(settings, { site, purpose: 'settings', signal: ends })
    if (ends.aborted) return TOO_LONG
    return 'reason' in target ? target : this.#dialAll(settings, target.addresses, ends)
  }

  /** Tries one address after the other while another one may succeed; returns the first failure. */
  async #dialAll(
    settings: DialSettings,
    addresses: readonly string[],
    ends: AbortSignal,
  ): Promise<Failure | null> {
    let left = addresses
    let first: Failure | null = null
    while (left.length > 0) {
      const { failure, step, tried } = await this.#search(settings, left, ends)
      if (failure === null || step === 'up') return failure
      if (ends.aborted) return first ?? failure
      if (!isOfAddress(failure, step)) return step === 'tcp' ? (first ?? failure) : failure
      first ??= failure
      left = left.filter((address) => !tried.includes(address))
    }
    return first
  }

  /** If the broker closes the connection on topic filters, searches for the forbidden ones; returns the first failure if the search fails. */
  async #search(
    settings: DialSettings,
    addresses: readonly string[],
    ends: AbortSignal,
  ): Promise<Outcome> {
    const filters = filtersOf(settings)
    const first = await this.#dial({ settings, plan: planOf(filters, NO_SEARCH) }, addresses, ends)
    let outcome = first
    let search = NO_SEARCH
    for (;;) {
      const { failure, step, asked } = outcome
      if (failure === null || !forbids(failure, step, asked)) break
      const next = closedAt(search, asked, 0)
      if (next === null) return first
      search = next
      outcome = await this.#dial({ settings, plan: planOf(filters, search) }, addresses, ends)
    }
    return ends.aborted ? first : outcome
  }

  async #dial(
    { settings, plan }: { readonly settings: DialSettings; readonly plan: FilterPlan },
    addresses: readonly string[],
    ends: AbortSignal,
  ): Promise<Outcome> {
    const { connectTimeoutMs } = this.#options
    const own = randomBytes(4).toString('hex')
    const tried: string[] = []
    let session: Session | null = null
    let onAbort = (): void => undefined
    const outcome = await new Promise<Outcome>((resolve) => {
      const settle = (failure: Failure | null, step: Step, asked: readonly string[] = []): void => {
        resolve({ failure, step, asked, tried })
      }
      onAbort = () => {
        settle(TOO_LONG, 'settings')
      }
      ends.addEventListener('abort', onAbort)
      session = Session.dial(
        {
          settings,
          addresses,
          plan,
          clientId: `${settings.clientId ?? 'mqtt-status'}-test-${own}`,
          ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
        },
        {
          onAddress: (address, overtaken) => tried.push(...overtaken, address),
          onOpen: (denied) => {
            settle(denied, 'up')
          },
          onEnd: settle,
          onMessage: () => undefined,
        },
      )
    })
    ends.removeEventListener('abort', onAbort)
    await (session as Session | null)?.close()
    return outcome
  }
}

const TOO_LONG: Failure = {
  reason: 'connect_timeout',
  detail: 'The test took longer than 25 s, or the client has closed its request.',
  code: null,
}
