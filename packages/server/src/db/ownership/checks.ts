/**
 * Checks of connections that another node keeps. The node with the request of a client inserts a question, the owner of the connection
 * writes its answer into the same row, and both notify each other.
 */
import type { CheckResult } from '../../model/check-result.ts'
import { pruneChecks } from '../upkeep/retention.ts'
import { call } from './calls.ts'
import type { Sql } from '../postgres/sql.ts'

/** A check that an owner has not answered yet. */
export interface Question {
  readonly id: string
  readonly connectionId: string
}

/** Asks the owner of a connection to check it. */
export async function insertQuestion(
  tx: Sql,
  { id, connectionId, ownerId }: Question & { readonly ownerId: string },
): Promise<void> {
  await pruneChecks(tx)
  await tx`
    insert into ${tx.schema}.connection_checks (id, connection_id, owner_id)
    values (${id}, ${connectionId}, ${ownerId})`
  await call(tx, 'question')
}

/** @returns `null` while the owner has not answered; `undefined` where the question was deleted */
export async function readAnswer(sql: Sql, id: string): Promise<CheckResult | null | undefined> {
  const [found] = await sql<{ answer: CheckResult | null }[]>`
    select answer from ${sql.schema}.connection_checks where id = ${id}`
  return found?.answer
}

export async function deleteQuestion(sql: Sql, id: string): Promise<void> {
  await sql`delete from ${sql.schema}.connection_checks where id = ${id}`
}

/** Questions to one owner that it has not answered yet. */
export function listQuestions(sql: Sql, ownerId: string): Promise<readonly Question[]> {
  return sql<Question[]>`
    select id, connection_id as "connectionId"
    from ${sql.schema}.connection_checks
    where owner_id = ${ownerId} and answer is null`
}

export async function answerQuestion(tx: Sql, id: string, answer: CheckResult): Promise<void> {
  await tx`update ${tx.schema}.connection_checks set answer = ${tx.json({ ...answer })} where id = ${id}`
  await call(tx, 'answer')
}
