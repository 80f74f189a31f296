/** Whether settings may be saved: seen with all of them together, the secrets that are stored included. */
import type { Settings, StoredConnection } from '../db/connections/connection-settings.ts'
import { isReference, referenceFault } from '../db/secrets/secret-reference.ts'
import { SECRET_FIELDS } from '../db/secrets/secrets.ts'
import type { SecretField, Secrets } from '../db/secrets/secrets.ts'
import { DIAL_FIELDS } from './draft.ts'
import type { DialField, Draft, FieldFault } from './draft.ts'
import { member, secretsToSendAnew, touchesDial } from './merge.ts'

/** What is to be dialled, with its secrets in plain words, not believed yet. */
export type DialDraft = Pick<Settings, DialField | 'tls'> & { readonly password: string | null }

/** What the examiner needs of whoever dials. */
export interface DialChecks {
  /** @returns what is wrong; empty = it can be dialled */
  readonly faultsOf: (dial: DialDraft) => readonly FieldFault[]
  /** @returns why host or port may not be dialled; `null` if they may, or if that can't be told now */
  readonly blocked: (dial: DialDraft, site: string) => Promise<FieldFault | null>
}

export interface Subject {
  /** As it is now; `null` for a new one. */
  readonly stored: StoredConnection | null
  readonly settings: Settings
  readonly draft: Draft
  /** Whether references are allowed: they name secrets of the server, whoever they are meant for. */
  readonly everywhere: boolean
}

/** Stands for a password that is there but can't be read now: only its being there is checked. */
const SOME = '·'

const NOT_EVERYWHERE =
  'references name secrets of the server, so only a token that may see every site may use them'

export class Examiner {
  readonly #secrets: Secrets
  readonly #dialChecks: DialChecks

  constructor(secrets: Secrets, dialChecks: DialChecks) {
    this.#secrets = secrets
    this.#dialChecks = dialChecks
  }

  /** Every fault of the settings that the draft leads to. */
  async faultsOf(subject: Subject): Promise<FieldFault[]> {
    const { stored, settings, draft } = subject
    const faults = [
      ...wishFaults(settings),
      ...referenceFaults(subject),
      ...(stored === null ? [] : secretsToSendAnew(stored, settings, draft)),
    ]
    if (!this.#isDialConcerned(subject)) return faults
    const dial = await this.dialDraft(subject)
    faults.push(...this.#dialChecks.faultsOf(dial))
    const named = faults.some(({ field }) => ['protocol', 'host', 'port'].includes(field))
    if (settings.managed && !named) {
      const blocked = await this.#dialChecks.blocked(dial, settings.siteId)
      if (blocked !== null) faults.push(blocked)
    }
    return faults
  }

  /** What would be dialled. */
  async dialDraft({ stored, settings, draft }: Subject): Promise<DialDraft> {
    const sent = await this.#sentSecrets(draft)
    const known = { ...(await this.#keptSecrets(stored, draft)), ...sent }
    const dial = DIAL_FIELDS.map((name) => [name, settings[name]])
    return {
      // Every field that is dialled with is one of these, or named below.
      ...(Object.fromEntries(dial) as Pick<Settings, DialField>),
      tls: withKey(settings.tls, known['tls.key']),
      password: known.password ?? null,
    }
  }

  /**
   * A row that may not be dialled any more can still be switched off, renamed and deleted; and whoever only observes a
   * connection need not say how to dial it.
   */
  #isDialConcerned({ stored, settings, draft }: Subject): boolean {
    if (touchesDial(draft)) return true
    if (!settings.managed) return false
    return stored === null || draft.managed === true || draft.desired === 'connected'
  }

  async #sentSecrets({ secrets }: Draft): Promise<Known> {
    const known: Known = {}
    for (const field of SECRET_FIELDS) {
      const text = secrets[field]
      if (typeof text !== 'string') continue
      if (!isReference(text)) {
        known[field] = text
        continue
      }
      const found = await this.#secrets.resolve(text)
      known[field] = 'text' in found ? found.text : SOME
    }
    return known
  }

  /** What is stored and stays. */
  async #keptSecrets(stored: StoredConnection | null, draft: Draft): Promise<Known> {
    if (stored === null) return {}
    const kept = SECRET_FIELDS.filter(
      (field) => stored.secrets[field] !== undefined && draft.secrets[field] === undefined,
    )
    if (kept.length === 0) return {}
    const read = (await this.#secrets.read([stored.id])).get(stored.id)
    const values = read?.kind === 'readable' ? read.values : {}
    return Object.fromEntries(kept.map((field) => [field, values[field] ?? SOME]))
  }
}

type Known = Partial<Record<SecretField, string>>

function wishFaults({ managed, desired }: Settings): FieldFault[] {
  return managed && desired === null
    ? [
        {
          field: 'desired',
          code: 'required',
          message: 'expected connected or disconnected; only an observed connection has no wish',
        },
      ]
    : []
}

/** Whoever may only see some sites could send the secrets of others to a broker of their own. */
export function referenceFaults({ draft, everywhere }: Subject): FieldFault[] {
  return SECRET_FIELDS.flatMap((field) => {
    const text = draft.secrets[field]
    if (typeof text !== 'string' || !isReference(text)) return []
    const message = referenceFault(text)
    if (message !== null) return [{ field, code: 'reference', message }]
    return everywhere ? [] : [{ field, code: 'reference_forbidden', message: NOT_EVERYWHERE }]
  })
}

/** Without a key that can be read there is no pair to look at. */
function withKey(tls: unknown, key: string | undefined): unknown {
  if (key === undefined) return tls
  const rest = typeof tls === 'object' && tls !== null ? tls : {}
  if (key !== SOME) return { ...rest, key }
  const left = Object.entries(rest).filter(([name]) => name !== 'cert' && name !== 'key')
  return member(rest, 'cert') === undefined ? tls : Object.fromEntries(left)
}
