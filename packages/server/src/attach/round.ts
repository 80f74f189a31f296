/** One round of the mirroring of an attachment: reads its notes, or compares all rows. */
import { isAway } from '../db/postgres/away.ts'
import type { Database } from '../db/postgres/lane.ts'
import {
  enter,
  mirrorRows,
  noteAll,
  takeAllNotes,
  takeNotes,
  takeNotesOf,
} from '../db/attachments/mirror.ts'
import type { Written } from '../db/attachments/mirror.ts'
import { recordCompared, recordRefused } from '../db/attachments/store.ts'
import type { Refusal } from '../model/attachment.ts'

/** Notes of one transaction. Its locks delay a migration of the attached table, so it takes some ten milliseconds. */
const BATCH = 1_000
/** More rows than this are not a fault of single rows. */
const MOST_REFUSED = 100
const SHOWN = 20

export type RoundResult =
  /** Another node has the turn. */
  | { readonly kind: 'busy' }
  /** A note asks for a comparison of all rows, which has not begun. */
  | { readonly kind: 'compare' }
  | {
      readonly kind: 'done'
      readonly changed: number
      /** Whether there may be more notes. */
      readonly more: boolean
      /** Connections that are locked, and noted again. */
      readonly locked: number
      readonly refused: readonly Refusal[]
    }

/** Classes of Postgres: data exceptions, violated constraints, exceptions of functions; they are faults of rows. */
const OF_A_ROW = /^(22|23|P0001)/

/** Compares all rows. Where single rows make that impossible, all rows are noted, to be read in portions. */
export async function compareAll(database: Database, id: number): Promise<RoundResult> {
  try {
    return await database.transact(async (tx): Promise<RoundResult> => {
      if (!(await enter(tx, id))) return { kind: 'busy' }
      await takeAllNotes(tx, id)
      const written = await mirrorRows(tx, id, null)
      await recordCompared(tx, id, written.read)
      await recordRefused(tx, id, {
        count: written.taken.length,
        first: written.taken.slice(0, SHOWN),
      })
      return toResult(written, false)
    })
  } catch (error) {
    if (!isOfRow(error)) throw error
    return database.transact(async (tx): Promise<RoundResult> => {
      if (!(await enter(tx, id))) return { kind: 'busy' }
      await takeAllNotes(tx, id)
      await noteAll(tx, id)
      return { kind: 'done', changed: 0, more: true, locked: 0, refused: [] }
    })
  }
}

/** Reads notes and writes the connections of their rows; one faulty row does not hold up the others. */
export async function readNotes(database: Database, id: number): Promise<RoundResult> {
  let keys: readonly (string | null)[] = []
  try {
    return await database.transact(async (tx): Promise<RoundResult> => {
      if (!(await enter(tx, id))) return { kind: 'busy' }
      keys = await takeNotes(tx, id, BATCH)
      const known = withoutNull(keys)
      if (known.length < keys.length) throw new CompareInstead()
      if (known.length === 0) return toResult(NOTHING, false)
      return toResult(await mirrorRows(tx, id, known), keys.length >= BATCH / 2)
    })
  } catch (error) {
    if (error instanceof CompareInstead) return { kind: 'compare' }
    if (!isOfRow(error)) throw error
    const refused = await separate(database, id, withoutNull(keys))
    return { kind: 'done', changed: 0, more: true, locked: 0, refused }
  }
}

/** Undoes the transaction, so that the notes stay until the comparison takes them. */
class CompareInstead extends Error {}

const NOTHING: Written = { read: 0, written: 0, deleted: 0, locked: 0, taken: [] }

/** Writes the rows in halves, down to the faulty ones. @returns the rows that were left out */
async function separate(
  database: Database,
  id: number,
  keys: readonly string[],
): Promise<readonly Refusal[]> {
  const refused: Refusal[] = []
  const open: (readonly string[])[] = [keys]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const portion = part
    try {
      await database.transact(async (tx) => {
        if (!(await enter(tx, id))) return
        await takeNotesOf(tx, id, portion)
        const { taken } = await mirrorRows(tx, id, portion)
        refused.push(...taken)
      })
    } catch (error) {
      if (!isOfRow(error) || refused.length >= MOST_REFUSED) throw error
      const [key] = portion
      const half = Math.ceil(portion.length / 2)
      if (portion.length > 1) open.push(portion.slice(half), portion.slice(0, half))
      else if (key !== undefined) {
        refused.push({ key, ...describeError(error) })
        await database.write((sql) => takeNotesOf(sql, id, [key]))
      }
    }
  }
  return refused
}

function toResult({ written, deleted, locked, taken }: Written, more: boolean): RoundResult {
  return { kind: 'done', changed: written + deleted, more, locked, refused: taken }
}

function withoutNull(keys: readonly (string | null)[]): readonly string[] {
  return keys.filter((key) => key !== null)
}

function isOfRow(error: unknown): boolean {
  return !isAway(error) && OF_A_ROW.test(describeError(error).code)
}

/** Message and code of an error of Postgres, without values of rows, which may be secrets. */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return { code: 'unknown', message: 'unknown failure' }
  const code = 'code' in cause ? String(cause.code) : 'unknown'
  const message = code.startsWith('22') ? cause.message.replace(/: ".*$/s, '') : cause.message
  return { code, message: message.slice(0, 300) }
}
