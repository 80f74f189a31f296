/** Encrypts secrets under former keys with the first key. The secrets stay the same, so no connection is dialled anew. */
import type { KeyRing, Sealed, SecretPlace } from './key-ring.ts'
import type { Sql } from '../postgres/sql.ts'
import { transaction } from '../postgres/transaction.ts'

export interface RotationProgress {
  readonly done: number
  /** Secrets under former keys when it began. */
  readonly total: number
}

export interface Rotation {
  /** Secrets that are now under the first key. */
  readonly rotated: number
  /** Secrets that could not be decrypted, and why. The rotation does not change them. */
  readonly unreadable: readonly (SecretPlace & { readonly why: string })[]
}

type Row = SecretPlace & Sealed

/** Secrets of one transaction: few, so that their locks last milliseconds. An interrupted run has done whole batches. */
const BATCH = 200

/** Encrypts secrets with the first key. After an interruption the next run continues with the secrets under a former key. */
export async function rotateSecrets(
  sql: Sql,
  ring: KeyRing,
  onProgress: (progress: RotationProgress) => void = () => undefined,
): Promise<Rotation> {
  const [counted] = await sql<{ total: number }[]>`
    select count(*)::integer as total
    from ${sql.schema}.connection_secrets
    where reference is null and key_id <> ${ring.first ?? ''}`
  const total = counted?.total ?? 0
  const unreadable: (SecretPlace & { why: string })[] = []
  let rotated = 0
  for (const pass of PASSES) {
    let after: SecretPlace | null = { connectionId: '', field: '' }
    while (after !== null) {
      const batch: Batch = await rotateBatch(sql, ring, { ...pass, after, without: unreadable })
      unreadable.push(...batch.unreadable)
      rotated += batch.rotated
      after = batch.last
      if (batch.last !== null) onProgress({ done: rotated + unreadable.length, total })
    }
  }
  return { rotated, unreadable }
}

/**
 * First the rotation skips secrets that another transaction has locked. At the end it waits for them one by one, while
 * it holds no other lock.
 */
const PASSES = [
  { limit: BATCH, waits: false },
  { limit: 1, waits: true },
] as const

interface BatchOptions {
  readonly limit: number
  /** Whether it waits for secrets that another transaction has locked. */
  readonly waits: boolean
  readonly after: SecretPlace
  /** Secrets that this run could not decrypt. */
  readonly without: readonly SecretPlace[]
}

interface Batch extends Rotation {
  /** Where the next batch begins; `null` at the end. */
  readonly last: SecretPlace | null
}

function rotateBatch(
  sql: Sql,
  ring: KeyRing,
  { limit, waits, after, without }: BatchOptions,
): Promise<Batch> {
  return transaction(sql, async (tx): Promise<Batch> => {
    const rows = await tx<Row[]>`
      select connection_id as "connectionId", field, key_id as "keyId", nonce, ciphertext, tag
      from ${tx.schema}.connection_secrets
      where reference is null
        and key_id <> ${ring.first ?? ''}
        and (connection_id, field) > (${after.connectionId}, ${after.field})
        and not exists (
          select from jsonb_to_recordset(${tx.json(without.map(toPlace))}) as w ("connectionId" text, field text)
          where w."connectionId" = connection_id and w.field = connection_secrets.field
        )
      order by connection_id, field
      limit ${limit}
      for update ${waits ? tx`` : tx`skip locked`}`
    const opened = rows.map((row) => ({ row, found: ring.open(row, row) }))
    const sealed = opened.flatMap(({ row: { connectionId, field }, found }) =>
      'why' in found ? [] : [toJson({ connectionId, field }, ring, found.text)],
    )
    if (sealed.length > 0) await store(tx, sealed)
    return {
      rotated: sealed.length,
      unreadable: opened.flatMap(({ row: { connectionId, field }, found }) =>
        'why' in found ? [{ connectionId, field, why: found.why }] : [],
      ),
      last: rows.at(-1) ?? null,
    }
  })
}

function toPlace({ connectionId, field }: SecretPlace): SecretPlace & Record<string, string> {
  return { connectionId, field }
}

function toJson(place: SecretPlace, ring: KeyRing, text: string): Record<string, string> {
  const { keyId, nonce, ciphertext, tag } = ring.seal(place, text)
  return {
    ...place,
    keyId,
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: tag.toString('base64'),
  }
}

async function store(tx: Sql, sealed: readonly Record<string, string>[]): Promise<void> {
  await tx`
    update ${tx.schema}.connection_secrets s
    set key_id = w."keyId",
      nonce = decode(w.nonce, 'base64'),
      ciphertext = decode(w.ciphertext, 'base64'),
      tag = decode(w.tag, 'base64')
    from jsonb_to_recordset(${tx.json(sealed)}) as w (
      "connectionId" text,
      field text,
      "keyId" text,
      nonce text,
      ciphertext text,
      tag text
    )
    where s.connection_id = w."connectionId" and s.field = w.field`
}
