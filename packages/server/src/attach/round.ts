/** One round of the mirroring of an attachment: reads its notes, or compares all rows. */
import type { Database } from '../db/postgres/lane.ts'
import { enter } from '../db/attachments/enter.ts'
import {
  distrust,
  mirrorRows,
  noteAll,
  takeAllNotes,
  takeNotes,
  takeNotesOf,
} from '../db/attachments/mirror.ts'
import { recordCompared, recordRefused } from '../db/attachments/store.ts'
import type { Refusal } from '../model/attachment.ts'
import { describeError, isOfRow } from './fault.ts'

/** Notes of one transaction. Its locks delay a migration of the attached table, so it takes some ten milliseconds. */
const BATCH = 1_000
/** More rows than this are not a fault of single rows. */
const MOST_REFUSED = 100
/** A comparison of many rows takes longer than a statement of a lane usually may. */
const COMPARE_MS = 120_000

export type RoundResult =
  /** Another node has the turn. */
  | { readonly kind: 'busy' }
  /** A note asks for a comparison of all rows, which has not begun. */
  | { readonly kind: 'compare' }
  | {
      readonly kind: 'done'
      /** Keys whose rows were read; `null` = all. */
      readonly keys: readonly string[] | null
      /** Rows that were left out. */
      readonly refused: readonly Refusal[]
      /** Whether there may be more notes. */
      readonly more: boolean
    }

/** Compares all rows. Where single rows make that impossible, all rows are noted, to be read in portions. */
export async function compareAll(database: Database, id: number): Promise<RoundResult> {
  try {
    return await database.transact(
      async (tx): Promise<RoundResult> => {
        if (!(await enter(tx, id))) return { kind: 'busy' }
        await takeAllNotes(tx, id)
        const { read, taken } = await mirrorRows(tx, id, null)
        await recordCompared(tx, id, read)
        await recordRefused(tx, id, taken)
        return { kind: 'done', keys: null, refused: taken, more: false }
      },
      { deadlineMs: COMPARE_MS },
    )
  } catch (error) {
    if (!isOfRow(error)) throw error
    return database.transact(async (tx): Promise<RoundResult> => {
      if (!(await enter(tx, id))) return { kind: 'busy' }
      await takeAllNotes(tx, id)
      await noteAll(tx, id)
      await recordCompared(tx, id, null)
      await recordRefused(tx, id, [])
      return { kind: 'done', keys: null, refused: [], more: true }
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
      if (known.length === 0) return { kind: 'done', keys: [], refused: [], more: false }
      const { taken } = await mirrorRows(tx, id, known)
      return { kind: 'done', keys: known, refused: taken, more: keys.length >= BATCH / 2 }
    })
  } catch (error) {
    if (error instanceof CompareInstead) return { kind: 'compare' }
    if (!isOfRow(error)) throw error
    const known = withoutNull(keys)
    return {
      kind: 'done',
      keys: known,
      refused: await separate(database, id, known),
      more: true,
    }
  }
}

/** Undoes the transaction, so that the notes stay until the comparison takes them. */
class CompareInstead extends Error {}

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
        refused.push(await leaveOut(database, id, { key, ...describeError(error) }))
      }
    }
  }
  return refused
}

/** The connection of the row, if there is one, would otherwise show its last status for ever. */
async function leaveOut(database: Database, id: number, refusal: Refusal): Promise<Refusal> {
  const { key, code } = refusal
  const detail = `Its row in the attached table can not be read (${code}).`
  await database.transact(async (tx) => {
    await takeNotesOf(tx, id, [key])
    await distrust(tx, id, { key, detail })
  })
  return refusal
}

function withoutNull(keys: readonly (string | null)[]): readonly string[] {
  return keys.filter((key) => key !== null)
}
