/**
 * Creates, changes and deletes connections. Management checks everything before it writes, and records the edit in the
 * audit in the same transaction. Replies have no secrets.
 */
import { randomUUID } from 'node:crypto'
import { readAudit, recordEdits } from '../db/connections/audit.ts'
import {
  deleteSettings,
  findSettings,
  insertSettings,
  isSameSettings,
  lockSettings,
  updateSettings,
} from '../db/connections/connection-settings.ts'
import type { StoredConnection } from '../db/connections/connection-settings.ts'
import { unavailable } from '../db/postgres/away.ts'
import type { Lane } from '../db/postgres/lane.ts'
import { isReference } from '../db/secrets/secret-reference.ts'
import type { Secrets, SecretWrite, Unreadable } from '../db/secrets/secrets.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { StatusError } from '../errors.ts'
import type { FieldFault } from '../model/connection/field-fault.ts'
import { INITIAL_SETTINGS, SECRET_FIELDS } from '../model/connection/settings.ts'
import type { SecretField, Settings } from '../model/connection/settings.ts'
import type { AuditEntry, AuditQuery } from '../model/audit.ts'
import type { DialResult } from '../model/check-result.ts'
import type { Editor } from '../model/editor.ts'
import { isWish, refuseAttached } from './attached.ts'
import { missingFields, parseDraft } from './parse-draft.ts'
import type { Draft } from './draft.ts'
import type { ParsedDraft } from './parse-draft.ts'
import { Examiner, referenceFaults } from './examine.ts'
import type { DialChecks, DialDraft, Subject } from './examine.ts'
import { changedFields, merge, secretsToSendAnew, settingsOf } from './merge.ts'
import { toView } from './settings-view.ts'
import type { SettingsView } from './settings-view.ts'

/** What management needs of the room that dials. */
export interface Dialling extends DialChecks {
  /** @throws StatusError `rate_limited` if the tests of the site that run do not end in time */
  readonly dialOnce: (dial: DialDraft, site: string) => Promise<DialResult>
}

export interface ManagementOptions {
  /** Runs the statements that read. */
  readonly queries: Lane
  /** Runs the transactions that write. */
  readonly commands: Lane
  readonly secrets: Secrets
  readonly dialling: Dialling
}

/** How often an edit starts again because another transaction has changed the connection meanwhile. */
const ATTEMPTS = 5

export class Management {
  readonly #queries: Lane
  readonly #secrets: Secrets
  readonly #options: ManagementOptions
  readonly #examiner: Examiner

  constructor(options: ManagementOptions) {
    this.#options = options
    this.#queries = options.queries
    this.#secrets = options.secrets
    this.#examiner = new Examiner(options.secrets, options.dialling)
  }

  /** @throws StatusError `not_found`, `database_unavailable` */
  settings(editor: Editor, id: string): Promise<SettingsView> {
    return reachable(async () => toView(await this.#find(editor, id)))
  }

  /** @throws StatusError `bad_request`, `validation`, `forbidden`, `already_exists`, `secret_key_missing`, `database_unavailable` */
  create(editor: Editor, body: unknown): Promise<SettingsView> {
    return reachable(async () => {
      const { draft, faults } = parseDraft(body)
      const id = draft.id ?? randomUUID()
      const settings = merge(INITIAL_SETTINGS, draft)
      if (settings.siteId !== '') refuseForeignSites(editor, id, settings.siteId)
      const subject = { stored: null, settings, draft, everywhere: editor.everywhere }
      refuseFaults([
        ...faults,
        ...missingFields(draft, faults),
        ...(await this.#examiner.faultsOf(subject)),
      ])
      return this.#transact(settings.siteId, async (tx) => {
        const commanded = settings.desired === 'connected'
        const written = await insertSettings(tx, [{ ...settings, id, commanded }], editor.actor)
        if (!written.has(id)) throw taken(id)
        return this.#finish(tx, editor, { id, subject, action: 'create' })
      })
    })
  }

  /** @throws StatusError like {@link create}, and `not_found`, `conflict` */
  change(editor: Editor, id: string, body: unknown): Promise<SettingsView> {
    return reachable(async () => {
      const parsed = parseDraft(body)
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const done = await this.#change(editor, id, parsed)
        if (done !== null) return done
      }
      throw new StatusError(
        'conflict',
        'Others keep changing this connection at the same time; try again.',
      )
    })
  }

  /** @throws StatusError `not_found`, `database_unavailable` */
  remove(editor: Editor, id: string): Promise<void> {
    return reachable(() =>
      this.#transact(id, async (tx) => {
        const stored = (await lockSettings(tx, [id])).get(id)
        if (stored === undefined || !editor.permits(id, stored.siteId)) throw notFound()
        await refuseAttached(tx, id)
        const generation = (await deleteSettings(tx, id)) ?? stored.generation
        const { siteId } = stored
        const edit = { connectionId: id, siteId, action: 'delete', generation, fields: [] } as const
        await recordEdits(tx, [edit], editor.actor)
      }),
    )
  }

  /**
   * Dials once and stores nothing. A body with the `id` of a connection means that connection with the rest of the body
   * applied; then the client need not send its stored secrets again, unless the target of the dial changes.
   *
   * @throws StatusError `bad_request`, `validation`, `rate_limited`, `database_unavailable`
   */
  test(editor: Editor, body: unknown): Promise<DialResult> {
    return reachable(async () => {
      const { draft, faults } = parseDraft(body)
      const { id } = draft
      const found =
        id === undefined ? null : await this.#queries.read((sql) => findSettings(sql, id))
      const stored = found !== null && editor.permits(found.id, found.siteId) ? found : null
      const settings = merge(stored ?? INITIAL_SETTINGS, draft)
      const subject = { stored, settings, draft, everywhere: editor.everywhere }
      const anew = stored === null ? [] : secretsToSendAnew(stored, settings, draft)
      const dial = await this.#examiner.dialDraft(subject)
      refuseFaults([
        ...faults,
        ...anew,
        ...referenceFaults(subject),
        ...this.#options.dialling.faultsOf(dial),
      ])
      const unreadable = await this.#unreadable(subject)
      if (unreadable !== null) return unreadable
      return this.#options.dialling.dialOnce(dial, payerOf(editor, settings, id))
    })
  }

  /** @throws StatusError `database_unavailable` */
  audit(query: AuditQuery): Promise<readonly AuditEntry[]> {
    return reachable(() => this.#queries.read((sql) => readAudit(sql, query)))
  }

  /** One attempt; `null` if another transaction has changed the connection meanwhile. */
  async #change(
    editor: Editor,
    id: string,
    { draft, faults }: ParsedDraft,
  ): Promise<SettingsView | null> {
    const stored = await this.#find(editor, id)
    const settings = merge(stored, draft)
    refuseForeignSites(editor, id, settings.siteId)
    const subject = { stored, settings, draft, everywhere: editor.everywhere }
    refuseFaults([...faults, ...idFaults(id, draft), ...(await this.#examiner.faultsOf(subject))])
    const fields = changedFields(stored, settings, draft)
    if (fields.length === 0) return toView(stored)
    return this.#transact(settings.siteId, async (tx) => {
      // The lookup of the host name may have taken seconds, so the row is locked only now.
      const locked = (await lockSettings(tx, [id])).get(id)
      if (locked === undefined) throw notFound()
      if (!isSameSettings(locked, stored)) return null
      if (!isWish(stored, settings, fields)) await refuseAttached(tx, id)
      const commanded = settings.desired !== stored.desired
      await updateSettings(tx, [{ ...settingsOf(settings), id, commanded }], editor.actor)
      return this.#finish(tx, editor, { id, subject, action: 'change' })
    })
  }

  /** Writes secrets and audit, and reads the settings that result. */
  async #finish(
    tx: Sql,
    editor: Editor,
    { id, subject, action }: { id: string; subject: Subject; action: 'create' | 'change' },
  ): Promise<SettingsView> {
    const { stored, settings, draft } = subject
    await this.#secrets.write(tx, secretWrites(id, draft))
    const now = await findSettings(tx, id)
    if (now === null) throw notFound()
    const fields = changedFields(stored ?? INITIAL_SETTINGS, settings, draft)
    const { siteId, generation } = now
    await recordEdits(tx, [{ connectionId: id, siteId, action, generation, fields }], editor.actor)
    return toView(now)
  }

  async #find({ permits }: Editor, id: string): Promise<StoredConnection> {
    const stored = await this.#queries.read((sql) => findSettings(sql, id))
    if (stored === null || !permits(id, stored.siteId)) throw notFound()
    return stored
  }

  /** The result of a dial that needs a secret which can't be read; `null` if all can be read. */
  async #unreadable({ stored, draft }: Subject): Promise<DialResult | null> {
    for (const field of SECRET_FIELDS) {
      const text = draft.secrets[field]
      if (typeof text !== 'string' || !isReference(text)) continue
      const found = await this.#secrets.resolve(text)
      if ('why' in found) return toProbe(field, found)
    }
    if (stored === null) return null
    const read = (await this.#secrets.read([stored.id])).get(stored.id)
    if (read?.kind !== 'unreadable' || draft.secrets[read.field] !== undefined) return null
    return toProbe(read.field, read)
  }

  #transact<T>(site: string, work: (tx: Sql) => Promise<T>): Promise<T> {
    return this.#options.commands.transact(work, { party: site })
  }
}

/** The site whose turn a test takes. A caller without permission for the site of the settings takes turns of its own. */
function payerOf({ permits, actor }: Editor, { siteId }: Settings, id = ''): string {
  return permits(id, siteId) ? siteId : `${siteId} as seen by ${actor ?? 'a stranger'}`
}

function toProbe(field: SecretField, { why, obstacle }: Unreadable): DialResult {
  const reason = obstacle === 'machine' ? 'local_resources' : 'secret_unreadable'
  return { ok: false, reason, detail: `${field}: ${why}`, tookMs: 0 }
}

/** The secrets that a draft sets or deletes. */
export function secretWrites(connectionId: string, { secrets }: Draft): SecretWrite[] {
  return Object.entries(secrets).map(([field, text]) => ({
    connectionId,
    field: field as SecretField,
    text,
  }))
}

function idFaults(id: string, draft: Draft): FieldFault[] {
  return draft.id === undefined || draft.id === id
    ? []
    : [{ field: 'id', code: 'immutable', message: 'can not be changed; create another connection' }]
}

function refuseFaults(faults: readonly FieldFault[]): void {
  if (faults.length === 0) return
  const all = faults.map(({ field, message }) => `${field}: ${message}`).join('; ')
  throw new StatusError('validation', all, { fields: faults })
}

function refuseForeignSites({ permits }: Editor, id: string, siteId: string): void {
  if (permits(id, siteId)) return
  throw new StatusError('forbidden', `The token does not cover the site "${siteId}".`)
}

function notFound(): StatusError {
  return new StatusError('not_found', 'There is no such connection, or it may not be seen.')
}

function taken(id: string): StatusError {
  return new StatusError(
    'already_exists',
    `The id "${id}" is taken; choose another one, or leave it out to get one.`,
    { fields: [{ field: 'id', code: 'taken', message: 'is taken' }] },
  )
}

async function reachable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw unavailable(cause, 'can not be used')
  }
}
