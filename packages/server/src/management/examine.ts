/** Checks whether the server may save settings: all of them together, with the stored secrets. */
import type { StoredConnection } from '../db/connections/connection-settings.ts'
import { isReference, referenceFault } from '../db/secrets/secret-reference.ts'
import type { Secrets } from '../db/secrets/secrets.ts'
import type { FieldFault } from '../model/connection/field-fault.ts'
import { DIAL_NAMES, pick, SECRET_FIELDS } from '../model/connection/settings.ts'
import type { SecretField, Settings, StoredDial } from '../model/connection/settings.ts'
import type { Draft } from './draft.ts'
import { member, secretsToSendAnew, touchesDial } from './merge.ts'

/** What to dial, with its secrets decrypted, unchecked. */
export interface DialDraft extends StoredDial {
  readonly password: string | null
}

/** What the examiner needs of the room that dials. */
export interface DialChecks {
  /** @returns what is wrong; empty if the server can dial */
  readonly faultsOf: (dial: DialDraft) => readonly FieldFault[]
  /** @returns why the dial guard refuses host or port; `null` if it allows them, or if the lookup of the name fails */
  readonly blocked: (dial: DialDraft, site: string) => Promise<FieldFault | null>
}

export interface Subject {
  /** The connection before the edit; `null` for a new one. */
  readonly stored: StoredConnection | null
  readonly settings: Settings
  readonly draft: Draft
  /** Whether references are allowed: each can name any secret of the server. */
  readonly everywhere: boolean
}

/** Stands for a secret that is stored but can't be read now; the checks only need to know that there is one. */
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

  /** What the server would dial. */
  async dialDraft({ stored, settings, draft }: Subject): Promise<DialDraft> {
    const sent = await this.#sentSecrets(draft)
    const known = { ...(await this.#keptSecrets(stored, draft)), ...sent }
    return {
      ...pick(DIAL_NAMES, settings),
      tls: withKey(settings.tls, known['tls.key']),
      password: known.password ?? null,
    }
  }

  /**
   * A manager can switch off and rename a connection that the dial guard refuses by now. An observed connection needs no
   * dial settings.
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

  /** The stored secrets that the draft does not replace. */
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

/** A manager of one site could send the secrets of other sites to a broker of their own. */
export function referenceFaults({ draft, everywhere }: Subject): FieldFault[] {
  return SECRET_FIELDS.flatMap((field): FieldFault[] => {
    const text = draft.secrets[field]
    if (typeof text !== 'string' || !isReference(text)) return []
    const message = referenceFault(text)
    if (message !== null) return [{ field, code: 'reference', message }]
    return everywhere ? [] : [{ field, code: 'reference_forbidden', message: NOT_EVERYWHERE }]
  })
}

/** Leaves the certificate out where its key can't be read: then no check can compare the two. */
function withKey(tls: unknown, key: string | undefined): unknown {
  if (key === undefined) return tls
  const rest = typeof tls === 'object' && tls !== null ? tls : {}
  if (key !== SOME) return { ...rest, key }
  const left = Object.entries(rest).filter(([name]) => name !== 'cert' && name !== 'key')
  return member(rest, 'cert') === undefined ? tls : Object.fromEntries(left)
}
