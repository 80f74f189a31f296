/** Tries settings out before anybody relies on them: dials once, subscribes, and leaves nothing behind. */
import { randomBytes } from 'node:crypto'
import type { Reason } from '@mqtt-status/protocol'
import { DialGuard } from './dial-guard.ts'
import type { GuardRules, Lookup } from './dial-guard.ts'
import { DialLimiter } from './dial-limiter.ts'
import { Session } from './session.ts'
import type { Failure } from './session-state.ts'
import { checkSettings } from './settings.ts'
import type { DialSettings, Secrets, StoredSettings } from './settings.ts'

export interface ProbeOptions {
  readonly allow: GuardRules
  readonly lookup?: Lookup
  /** Tries at the same time; more wait. @default 4 */
  readonly concurrency?: number
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
}

export interface ProbeResult {
  /** Accepted, and every topic was granted. */
  readonly ok: boolean
  readonly reason: Reason | null
  readonly detail: string | null
  readonly tookMs: number
}

const CONCURRENCY = 4
/** Longer than any of its parts, so it only ends what hangs. */
const TIMEOUT_MS = 25_000

export class Probe {
  readonly #guard: DialGuard
  readonly #limiter: DialLimiter
  readonly #connectTimeoutMs: number | undefined

  constructor({ allow, lookup, concurrency = CONCURRENCY, connectTimeoutMs }: ProbeOptions) {
    this.#guard = new DialGuard(allow, lookup)
    this.#limiter = new DialLimiter(concurrency)
    this.#connectTimeoutMs = connectTimeoutMs
  }

  /**
   * One try, with a client id of its own, so that a connection that is up with these settings stays up.
   *
   * @param signal ends it, for example when whoever asked has gone
   */
  async run(
    stored: StoredSettings,
    secrets: Secrets = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ProbeResult> {
    const startedAt = performance.now()
    const failure = await this.#try(
      stored,
      secrets,
      AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    )
    return {
      ok: failure === null,
      reason: failure?.reason ?? null,
      detail: failure?.detail ?? null,
      tookMs: Math.round(performance.now() - startedAt),
    }
  }

  async #try(
    stored: StoredSettings,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<Failure | null> {
    const settings = checkSettings(stored, secrets)
    if ('reason' in settings) return settings
    const leave = await this.#limiter.enter(signal)
    if (leave === null) return TOO_LONG
    try {
      const target = await this.#guard.check(settings.host, settings.port)
      if ('reason' in target) return target
      return signal.aborted ? TOO_LONG : await this.#dial(settings, target.addresses, signal)
    } finally {
      leave()
    }
  }

  async #dial(
    settings: DialSettings,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<Failure | null> {
    let session: Session | null = null
    const outcome = await new Promise<Failure | null>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve(TOO_LONG)
      })
      session = Session.dial(
        {
          settings,
          addresses,
          clientId: `${settings.clientId ?? 'mqtt-status'}-test-${randomBytes(4).toString('hex')}`,
          ...(this.#connectTimeoutMs === undefined
            ? {}
            : { connectTimeoutMs: this.#connectTimeoutMs }),
        },
        { onOpen: resolve, onEnd: resolve, onMessage: () => undefined },
      )
    })
    await (session as Session | null)?.close()
    return outcome
  }
}

const TOO_LONG: Failure = {
  reason: 'connect_timeout',
  detail: 'The test took too long, or was given up.',
  code: null,
}
