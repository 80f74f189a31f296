/** Imports connections from a file. The import checks all rows first and writes them in one transaction. */
import { randomUUID } from 'node:crypto'
import { recordEdits } from '../db/connections/audit.ts'
import {
  findManySettings,
  insertSettings,
  isSameSettings,
  lockSettings,
  updateSettings,
} from '../db/connections/connection-settings.ts'
import type { StoredConnection } from '../db/connections/connection-settings.ts'
import { findSources } from '../db/attachments/store.ts'
import type { Secrets } from '../db/secrets/secrets.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { transaction } from '../db/postgres/transaction.ts'
import { StatusError } from '../errors.ts'
import type { FieldFault } from '../model/connection/field-fault.ts'
import { INITIAL_SETTINGS } from '../model/connection/settings.ts'
import type { Settings } from '../model/connection/settings.ts'
import { isWish, mirrors } from './attached.ts'
import { missingFields, parseDraft } from './parse-draft.ts'
import type { Draft } from './draft.ts'
import { Examiner } from './examine.ts'
import type { DialChecks } from './examine.ts'
import { secretWrites } from './management.ts'
import { changedFields, merge, settingsOf } from './merge.ts'

/** A row of a file, unchecked. */
export interface ImportRow {
  /** The line of a CSV file or the item of a JSON file, for the error text. */
  readonly line: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface ImportFault extends FieldFault {
  readonly line: number
}

export interface ImportOptions {
  readonly sql: Sql
  readonly secrets: Secrets
  readonly dialling: DialChecks
  /** Whether the import changes connections that exist; otherwise each is a fault. */
  readonly update: boolean
  /** Check everything, write nothing. */
  readonly dryRun: boolean
  readonly actor: string
  readonly onProgress: (step: 'checked' | 'written', done: number, total: number) => void
}

export type ImportResult =
  | { readonly kind: 'refused'; readonly faults: readonly ImportFault[] }
  | {
      readonly kind: 'imported'
      readonly created: number
      readonly changed: number
      readonly unchanged: number
    }

interface Item {
  readonly id: string
  readonly line: number
  readonly stored: StoredConnection | null
  readonly settings: Settings
  readonly draft: Draft
}

/** Rows that are checked at the same time: most of a check is waiting for a name server, which 20 lookups do not flood. */
const AT_ONCE = 20
const BATCH = 500

/** @throws StatusError `secret_key_missing`, `conflict` if another transaction edits the same connections */
export async function importConnections(
  rows: readonly ImportRow[],
  options: ImportOptions,
): Promise<ImportResult> {
  const { items, faults } = await prepare(rows, options)
  faults.push(...(await attachedFaults(items, options)))
  faults.push(...(await examine(items, options)))
  if (faults.length > 0) {
    return { kind: 'refused', faults: faults.toSorted((a, b) => a.line - b.line) }
  }
  const created = items.filter(({ stored }) => stored === null)
  const changed = items.filter(
    ({ stored, settings, draft }) =>
      stored !== null && changedFields(stored, settings, draft).length > 0,
  )
  if (!options.dryRun) await write({ created, changed }, options)
  return {
    kind: 'imported',
    created: created.length,
    changed: changed.length,
    unchanged: items.length - created.length - changed.length,
  }
}

/** Parses each row and applies it to the connection that is stored under its id. */
async function prepare(
  rows: readonly ImportRow[],
  { sql, update }: ImportOptions,
): Promise<{ items: Item[]; faults: ImportFault[] }> {
  const parsed = rows.map(({ line, body }) => ({ line, ...parseDraft(body) }))
  const faults: ImportFault[] = parsed.flatMap(({ line, faults: found }) =>
    found.map((fault) => ({ line, ...fault })),
  )
  const ids = parsed.flatMap(({ draft }) => (draft.id === undefined ? [] : [draft.id]))
  const stored = await findManySettings(sql, ids)
  const seen = new Map<string, number>()
  const items = parsed.map(({ line, draft, faults: known }): Item => {
    const existing = draft.id === undefined ? null : (stored.get(draft.id) ?? null)
    if (existing === null) {
      faults.push(...missingFields(draft, known).map((fault) => ({ line, ...fault })))
    } else if (!update) {
      faults.push({
        line,
        field: 'id',
        code: 'taken',
        message: 'exists already; --update changes it',
      })
    }
    const former = draft.id === undefined ? undefined : seen.get(draft.id)
    if (former !== undefined)
      faults.push({ line, field: 'id', code: 'taken', message: `is on line ${former} already` })
    const id = draft.id ?? randomUUID()
    seen.set(id, line)
    return {
      id,
      line,
      stored: existing,
      settings: merge(existing ?? INITIAL_SETTINGS, draft),
      draft,
    }
  })
  return { items, faults }
}

/** Changes of connections that mirror rows of attached tables. */
async function attachedFaults(
  items: readonly Item[],
  { sql }: ImportOptions,
): Promise<ImportFault[]> {
  const edited = items.filter(({ stored, settings, draft }) => {
    const fields = stored === null ? [] : changedFields(stored, settings, draft)
    return stored !== null && fields.length > 0 && !isWish(stored, settings, fields)
  })
  const sources = await findSources(
    sql,
    edited.map(({ id }) => id),
  )
  return edited.flatMap(({ id, line }) => {
    const table = sources.get(id)
    return table === undefined
      ? []
      : [{ line, field: 'id', code: 'immutable', message: mirrors(table) }]
  })
}

async function examine(
  items: readonly Item[],
  { secrets, dialling, onProgress }: ImportOptions,
): Promise<ImportFault[]> {
  const examiner = new Examiner(secrets, remembering(dialling))
  const faults: ImportFault[] = []
  const waiting = items.values()
  let done = 0
  const work = async (): Promise<void> => {
    for (const { line, ...item } of waiting) {
      const found = await examiner.faultsOf({ ...item, everywhere: true })
      faults.push(...found.map((fault) => ({ line, ...fault })))
      onProgress('checked', ++done, items.length)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return faults
}

/** Looks each broker up once: a fleet of thousands of connections has a few brokers. */
function remembering(dialling: DialChecks): DialChecks {
  const known = new Map<string, ReturnType<DialChecks['blocked']>>()
  return {
    ...dialling,
    blocked(dial, site) {
      const key = JSON.stringify([dial.protocol, dial.host, dial.port])
      const found = known.get(key) ?? dialling.blocked(dial, site)
      known.set(key, found)
      return found
    },
  }
}

async function write(
  { created, changed }: { created: readonly Item[]; changed: readonly Item[] },
  { sql, secrets, actor, onProgress }: ImportOptions,
): Promise<void> {
  const total = created.length + changed.length
  await transaction(sql, async (tx) => {
    await tx`set local statement_timeout = 0`
    await refuseChanged(tx, changed)
    let done = 0
    for (const [action, items] of [
      ['create', created],
      ['change', changed],
    ] as const) {
      for (let from = 0; from < items.length; from += BATCH) {
        const batch = items.slice(from, from + BATCH)
        await writeBatch(tx, { action, batch, secrets, actor })
        onProgress('written', (done += batch.length), total)
      }
    }
  })
}

/** Refuses the import if another transaction has edited a connection while the import looked names up. */
async function refuseChanged(tx: Sql, items: readonly Item[]): Promise<void> {
  const locked = await lockSettings(
    tx,
    items.map(({ id }) => id),
  )
  for (const { id, stored } of items) {
    const now = locked.get(id)
    if (stored === null || (now !== undefined && isSameSettings(now, stored))) continue
    throw new StatusError(
      'conflict',
      `"${id}" was changed or deleted meanwhile, so nothing was written; run it again.`,
    )
  }
}

interface Batch {
  readonly action: 'create' | 'change'
  readonly batch: readonly Item[]
  readonly secrets: Secrets
  readonly actor: string
}

async function writeBatch(tx: Sql, { action, batch, secrets, actor }: Batch): Promise<void> {
  const rows = batch.map(({ id, stored, settings }) => ({
    ...settingsOf(settings),
    id,
    commanded: settings.desired !== (stored ?? INITIAL_SETTINGS).desired,
  }))
  if (action === 'create') {
    const written = await insertSettings(tx, rows, actor)
    const missed = rows.find(({ id }) => !written.has(id))
    if (missed !== undefined) {
      throw new StatusError(
        'conflict',
        `"${missed.id}" was created meanwhile, so nothing was written; run it again.`,
      )
    }
  } else {
    await updateSettings(tx, rows, actor)
  }
  await secrets.write(
    tx,
    batch.flatMap(({ id, draft }) => secretWrites(id, draft)),
  )
  const now = await findManySettings(
    tx,
    batch.map(({ id }) => id),
  )
  const edits = batch.map(({ id, stored, settings, draft }) => ({
    connectionId: id,
    siteId: settings.siteId,
    action,
    generation: now.get(id)?.generation ?? 0,
    fields: changedFields(stored ?? INITIAL_SETTINGS, settings, draft),
  }))
  await recordEdits(tx, edits, actor)
}
