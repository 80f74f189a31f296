import type { GuardRules } from '../mqtt/dial-guard.ts'
import { DialGuard } from '../mqtt/dial-guard.ts'
import { Probe } from '../mqtt/probe.ts'
import type { StoredSettings } from '../mqtt/settings.ts'
import { validateSettings } from '../mqtt/settings.ts'
import type { DialDraft } from './examine.ts'
import type { Dialling } from './management.ts'
import { DEFAULT_PORTS } from './merge.ts'

/** The checks that a dial relies on, asked before anything is saved; and one dial to try settings out. */
export function createDialling(allow: GuardRules): Dialling {
  const guard = new DialGuard(allow)
  const probe = new Probe({ allow })
  return {
    faultsOf(dial) {
      const { stored, secrets } = apart(dial)
      const result = validateSettings(stored, secrets)
      return result.ok ? [] : result.faults
    },

    async blocked({ protocol, host, port }) {
      const number = port ?? DEFAULT_PORTS[String(protocol)]
      if (typeof host !== 'string' || typeof number !== 'number') return null
      const target = await guard.check(host, number)
      // A name that does not exist yet may well do so by the time it is dialled; then it is checked again.
      if ('addresses' in target || target.reason !== 'address_blocked') return null
      const message = target.detail ?? 'may not be dialled'
      const field = message.startsWith('Port ') ? 'port' : 'host'
      return { field, code: 'address_blocked', message }
    },

    dialOnce(dial) {
      const { stored, secrets } = apart(dial)
      return probe.run(stored, secrets)
    },
  }
}

function apart({ password, ...stored }: DialDraft): {
  stored: StoredSettings
  secrets: { password?: string }
} {
  return { stored, secrets: password === null ? {} : { password } }
}
