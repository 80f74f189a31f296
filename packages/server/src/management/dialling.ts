import { DialGuard } from '../mqtt/dial/dial-guard.ts'
import type { GuardRules } from '../mqtt/dial/dial-guard.ts'
import { Probe } from '../mqtt/dial/probe.ts'
import type { Resolver } from '../dns/resolver.ts'
import { defaultPort } from '../model/connection/transport-protocols.ts'
import type { StoredDial } from '../model/connection/settings.ts'
import { validateSettings } from '../mqtt/session/dial-settings.ts'
import type { DialDraft } from './examine.ts'
import type { Dialling } from './management.ts'
import { PersonTurns } from './person-turns.ts'

export interface DiallingOptions {
  readonly allow: GuardRules
  /** Shared by all that look names up in this process. */
  readonly resolver: Resolver
  readonly turns?: PersonTurns
}

/** A request that saves settings waits no longer for the lookup of a name; the guard checks the name again at each dial. */
const LOOKUP_MS = 5_000

/** The checks of a dial, for settings that a manager saves; and one dial that tries settings out. */
export function createDialling({
  allow,
  resolver,
  turns = new PersonTurns(),
}: DiallingOptions): Dialling {
  const guard = new DialGuard(allow, resolver)
  const probe = new Probe({ guard })
  return {
    faultsOf(dial) {
      const { stored, secrets } = apart(dial)
      const result = validateSettings(stored, secrets)
      return result.ok ? [] : result.faults
    },

    async blocked({ protocol, host, port: written }, site) {
      const port = written ?? defaultPort(protocol)
      if (typeof host !== 'string' || typeof port !== 'number') return null
      const signal = AbortSignal.timeout(LOOKUP_MS)
      const target = await guard.check({ host, port }, { site, purpose: 'settings', signal })
      // The name may exist by the time of the dial, which checks it again.
      if ('addresses' in target || target.reason !== 'address_blocked') return null
      const message = target.detail ?? 'may not be dialled'
      const field = message.startsWith('Port ') ? 'port' : 'host'
      return { field, code: 'address_blocked', message }
    },

    dialOnce(dial, site) {
      const { stored, secrets } = apart(dial)
      return turns.run('test', site, () => probe.run({ stored, secrets, site }))
    },
  }
}

function apart({ password, ...stored }: DialDraft): {
  stored: StoredDial
  secrets: { password?: string }
} {
  return { stored, secrets: password === null ? {} : { password } }
}
