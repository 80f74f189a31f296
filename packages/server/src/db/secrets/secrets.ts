/** The secrets of connections: the table `connection_secrets` has each one encrypted, or a reference to it. */
import type { SecretField } from '../../model/connection/settings.ts'
import type { KeyRing, Sealed } from './key-ring.ts'
import { isReference, resolveReference, UnreadableReference } from './secret-reference.ts'
import type { Obstacle, ReferenceSources } from './secret-reference.ts'
import type { Sql } from '../postgres/sql.ts'

/** Decrypted: never log it or send it to a client. */
export type SecretValues = Readonly<Partial<Record<SecretField, string>>>

export type SecretsRead =
  | { readonly kind: 'readable'; readonly values: SecretValues }
  /** `why` names the field and the key or the reference, never a secret. */
  | ({ readonly kind: 'unreadable'; readonly field: SecretField } & Unreadable)

export interface Unreadable {
  readonly why: string
  /** What has to happen before it can be read. */
  readonly obstacle: Obstacle
}

export interface SecretWrite {
  readonly connectionId: string
  readonly field: SecretField
  /** A secret, or a reference to one; `null` deletes. */
  readonly text: string | null
}

interface SealedRow extends Sealed {
  readonly connectionId: string
  readonly field: SecretField
  readonly reference: null
}

interface ReferenceRow {
  readonly connectionId: string
  readonly field: SecretField
  readonly reference: string
}

type SecretRow = SealedRow | ReferenceRow

/** Runs a statement that reads. */
export type Read = <T>(work: (sql: Sql) => PromiseLike<T>) => Promise<T>

export interface SecretsOptions {
  readonly read: Read
  readonly ring: KeyRing
  readonly references: ReferenceSources
}

/** How many secrets a start tries to decrypt before it decides that the keys are wrong. */
const SAMPLE = 1_000

export class Secrets {
  readonly #options: SecretsOptions

  constructor(options: SecretsOptions) {
    this.#options = options
  }

  /**
   * The secrets of these connections, without those that have none.
   *
   * @throws when the database can't be read
   */
  async read(ids: readonly string[]): Promise<ReadonlyMap<string, SecretsRead>> {
    const rows = await this.#options.read(
      (sql) => sql<SecretRow[]>`
        select connection_id as "connectionId", field, reference, key_id as "keyId", nonce, ciphertext, tag
        from ${sql.schema}.connection_secrets
        where connection_id in (select jsonb_array_elements_text(${sql.json(ids)}))`,
    )
    const found = Map.groupBy(rows, ({ connectionId }) => connectionId)
    return new Map(
      await Promise.all(
        Array.from(found, async ([id, own]) => [id, await this.#openAll(own)] as const),
      ),
    )
  }

  /** Reads the secret that a reference names. */
  async resolve(reference: string): Promise<{ readonly text: string } | Unreadable> {
    try {
      return { text: await resolveReference(reference, this.#options.references) }
    } catch (error) {
      // An unknown error is a fault of this machine (file descriptors, memory), so the server dials again.
      const obstacle = error instanceof UnreadableReference ? error.obstacle : 'machine'
      return {
        why: error instanceof Error ? error.message : 'the reference can not be resolved',
        obstacle,
      }
    }
  }

  /**
   * Stores or deletes secrets, within a transaction of the caller.
   *
   * @throws StatusError `secret_key_missing`
   */
  async write(tx: Sql, writes: readonly SecretWrite[]): Promise<void> {
    const gone = writes.filter(({ text }) => text === null)
    if (gone.length > 0) {
      await tx`
        delete from ${tx.schema}.connection_secrets s
        using jsonb_to_recordset(${tx.json(gone as never)}) as w ("connectionId" text, field text)
        where s.connection_id = w."connectionId" and s.field = w.field`
    }
    const rows = writes.flatMap(({ text, ...place }) =>
      text === null ? [] : [{ ...place, ...this.#toRow(place, text) }],
    )
    if (rows.length === 0) return
    await tx`
      insert into ${tx.schema}.connection_secrets (connection_id, field, reference, key_id, nonce, ciphertext, tag)
      select "connectionId", field, reference, "keyId",
        decode(nonce, 'base64'), decode(ciphertext, 'base64'), decode(tag, 'base64')
      from jsonb_to_recordset(${tx.json(rows)}) as w (
        "connectionId" text,
        field text,
        reference text,
        "keyId" text,
        nonce text,
        ciphertext text,
        tag text
      )
      on conflict (connection_id, field) do update
      set reference = excluded.reference,
        key_id = excluded.key_id,
        nonce = excluded.nonce,
        ciphertext = excluded.ciphertext,
        tag = excluded.tag,
        updated_at = now()`
  }

  /** Whether the database has secrets and the keys decrypt none of them: then the operator has set the wrong keys. */
  async areLost(): Promise<boolean> {
    const { read, ring } = this.#options
    const rows = await read(
      (sql) => sql<SealedRow[]>`
        select connection_id as "connectionId", field, reference, key_id as "keyId", nonce, ciphertext, tag
        from ${sql.schema}.connection_secrets
        where reference is null
        limit ${SAMPLE}`,
    )
    return rows.length > 0 && rows.every((row) => 'why' in ring.open(row, row))
  }

  async #openAll(rows: readonly SecretRow[]): Promise<SecretsRead> {
    const values: Partial<Record<SecretField, string>> = {}
    for (const row of rows) {
      const found = await this.#open(row)
      if ('why' in found) return { kind: 'unreadable', field: row.field, ...found }
      values[row.field] = found.text
    }
    return { kind: 'readable', values }
  }

  async #open(row: SecretRow): Promise<{ readonly text: string } | Unreadable> {
    if (row.reference !== null) return this.resolve(row.reference)
    const opened = this.#options.ring.open(row, row)
    return 'why' in opened ? { ...opened, obstacle: 'setting' } : opened
  }

  #toRow(
    place: { connectionId: string; field: SecretField },
    text: string,
  ): Record<string, string | null> {
    if (isReference(text)) return { reference: text }
    const { keyId, nonce, ciphertext, tag } = this.#options.ring.seal(place, text)
    return {
      keyId,
      nonce: nonce.toString('base64'),
      ciphertext: ciphertext.toString('base64'),
      tag: tag.toString('base64'),
    }
  }
}

/** How many secrets are references, and how many are encrypted under each key. */
export async function countSecrets(
  sql: Sql,
): Promise<{ references: number; sealed: readonly { keyId: string; count: number }[] }> {
  const rows = await sql<{ keyId: string | null; count: number }[]>`
    select key_id as "keyId", count(*)::integer as count
    from ${sql.schema}.connection_secrets
    group by key_id
    order by key_id`
  return {
    references: rows.find(({ keyId }) => keyId === null)?.count ?? 0,
    sealed: rows.flatMap(({ keyId, count }) => (keyId === null ? [] : [{ keyId, count }])),
  }
}

/**
 * The secrets of connections as a dial takes them.
 *
 * @throws when the database can't be read
 */
export async function readForDial(
  secrets: Secrets,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DialSecrets>> {
  const found = await secrets.read(ids)
  return new Map(Array.from(found, ([id, read]) => [id, forDial(read)]))
}

type DialSecrets =
  | { readonly password?: string; readonly tlsKey?: string }
  | { readonly unreadable: string; readonly obstacle: Obstacle }

function forDial(read: SecretsRead): DialSecrets {
  if (read.kind === 'unreadable')
    return { unreadable: `${read.field}: ${read.why}`, obstacle: read.obstacle }
  const { password, 'tls.key': tlsKey } = read.values
  return {
    ...(password === undefined ? {} : { password }),
    ...(tlsKey === undefined ? {} : { tlsKey }),
  }
}
