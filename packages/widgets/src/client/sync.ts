/**
 * What the server has answered of what the page watches, as a pure function of names that come and go and of messages.
 *
 *   away ──opened──▶ open ──closed──▶ away
 *
 *   A name, while open:   added ──▶ next ──ask──▶ asked ──answered──▶ answered
 *                                    ▲              │
 *                                    └── refused ───┘   in halves, until the server takes a watch or refuses a single name
 *
 * A name that is removed leaves all of these. `answered` and `cursor` outlive a transport; `next`, `asked` and `arriving` do
 * not, because the client sends every watch again on a new transport.
 */
import type { WatchFilter } from '@mqtt-status/protocol'
import { firstPortion, toFilter } from './names.ts'

interface Known {
  /** The history of the database that rows and cursor belong to; empty before the first welcome. */
  readonly epoch: string
  /** From where the server can continue, for the whole set; `undefined`: the server has to send all rows. */
  readonly cursor: string | undefined
  /** Names whose last answer is complete. */
  readonly answered: ReadonlySet<string>
  /** Rises with each watch, also across transports. */
  readonly lastId: number
}

/** No transport is open. */
interface Away extends Known {
  readonly kind: 'away'
}

interface Open extends Known {
  readonly kind: 'open'
  /** Watches that the server has not answered, by id. */
  readonly asked: ReadonlyMap<number, Question>
  /** Names that fit into no message yet, or that the server has refused together. */
  readonly next: readonly string[]
  /** The most names of one watch. While it is finite, the client sends one watch after the other. */
  readonly portion: number
  /** Ids of rows, page by page, of each answer that is not complete; `undefined`: an answer about everything. */
  readonly arriving: ReadonlyMap<number | undefined, readonly (readonly string[])[]>
}

interface Question {
  /** Those of its names that are still watched. */
  readonly names: readonly string[]
  /** How many names the watch had when the client sent it. */
  readonly sent: number
}

export type Sync = Away | Open

export type SyncEvent =
  /** A transport is open; `names` is the whole set. */
  | { readonly kind: 'opened'; readonly names: readonly string[] }
  | { readonly kind: 'closed' }
  | { readonly kind: 'added'; readonly names: readonly string[] }
  /** The page watches these no longer, or the server has no room for them. */
  | { readonly kind: 'removed'; readonly names: readonly string[] }
  /** The page watches nothing any more. */
  | { readonly kind: 'emptied' }
  | { readonly kind: 'welcomed'; readonly epoch: string }
  /** A part of an answer, with the ids of its rows; another part follows. */
  | { readonly kind: 'part'; readonly id: number | undefined; readonly rows: readonly string[] }
  /** The last part of an answer; without `id` it answers every watch. */
  | {
      readonly kind: 'answered'
      readonly id: number | undefined
      readonly cursor: string | undefined
    }
  /** Every change before the cursor has been received. */
  | { readonly kind: 'reached'; readonly cursor: string | undefined }
  /** The server has no room for the names of this watch. */
  | { readonly kind: 'refused'; readonly id: number }
  /** The client could not read a message, which may have been a change. */
  | { readonly kind: 'garbled' }

export type SyncEffect =
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly names: readonly string[]
      readonly cursor: string | undefined
    }
  /** The server refuses these names. */
  | { readonly kind: 'refuse'; readonly names: readonly string[] }
  /** All rows belong to another history. */
  | { readonly kind: 'forget' }
  /** The server has answered every watch. */
  | { readonly kind: 'settled' }

type Step = readonly [Sync, readonly SyncEffect[]]

const NONE: readonly SyncEffect[] = []
const SETTLED: readonly SyncEffect[] = [{ kind: 'settled' }]

export const INITIAL_SYNC: Sync = {
  kind: 'away',
  epoch: '',
  cursor: undefined,
  answered: new Set(),
  lastId: 0,
}

export function nextSync(sync: Sync, event: SyncEvent): Step {
  switch (event.kind) {
    case 'opened':
      return opened(sync, event.names)
    case 'closed':
      return [away(sync), NONE]
    case 'emptied':
      return [{ ...away(sync), cursor: undefined, answered: new Set() }, NONE]
    case 'garbled':
      return [{ ...sync, cursor: undefined }, NONE]
    case 'added':
      return added({ ...sync, cursor: undefined }, event.names)
    case 'removed':
      return [removed(sync, new Set(event.names)), NONE]
    case 'welcomed':
      return welcomed(sync, event.epoch)
    default:
      return sync.kind === 'open' ? heard(sync, event) : [sync, NONE]
  }
}

/** Whether no watch is without its answer. */
export function isSettled(sync: Sync): boolean {
  return sync.kind === 'away' || (sync.asked.size === 0 && sync.next.length === 0)
}

/** The ids of all rows that the answer has, this last part of it included. */
export function arrivedIn(
  sync: Sync,
  id: number | undefined,
  rows: readonly string[],
): ReadonlySet<string> {
  const before = sync.kind === 'open' ? sync.arriving.get(id) : undefined
  return new Set([...(before ?? []), rows].flat())
}

/** What the watch has named that is still watched; `undefined`: the answer is about everything. */
export function namedBy(sync: Sync, id: number | undefined): WatchFilter | undefined {
  if (sync.kind === 'away' || id === undefined) return undefined
  const question = sync.asked.get(id)
  return question && toFilter(question.names)
}

function away({ epoch, cursor, answered, lastId }: Sync): Away {
  return { kind: 'away', epoch, cursor, answered, lastId }
}

/** The client sends a watch of no names, too: the answer proves that the server can read its database. */
function opened(sync: Sync, names: readonly string[]): Step {
  const open: Open = {
    ...away(sync),
    kind: 'open',
    asked: new Map(),
    next: names,
    portion: Infinity,
    arriving: new Map(),
  }
  if (names.length > 0) return askNext(open)
  const id = sync.lastId + 1
  return [
    { ...open, lastId: id, asked: new Map([[id, { names, sent: 0 }]]) },
    [{ kind: 'ask', id, names, cursor: sync.cursor }],
  ]
}

function added(sync: Sync, names: readonly string[]): Step {
  return sync.kind === 'open' ? askNext({ ...sync, next: [...sync.next, ...names] }) : [sync, NONE]
}

function removed(sync: Sync, gone: ReadonlySet<string>): Sync {
  const isKept = (name: string): boolean => !gone.has(name)
  const answered = new Set([...sync.answered].filter(isKept))
  if (sync.kind === 'away') return { ...sync, answered }
  const asked = [...sync.asked].map(
    ([id, { names, sent }]) => [id, { names: names.filter(isKept), sent }] as const,
  )
  return { ...sync, answered, asked: new Map(asked), next: sync.next.filter(isKept) }
}

/** A read over HTTP begins with a welcome, so a former answer about everything has been cut off. */
function welcomed(sync: Sync, epoch: string): Step {
  const begun =
    sync.kind === 'open' ? { ...sync, arriving: without(sync.arriving, undefined) } : sync
  // A welcome without an epoch does not identify the history of the rows.
  if (epoch === '' || epoch === sync.epoch) return [begun, NONE]
  if (sync.epoch === '') return [{ ...begun, epoch }, NONE]
  return [{ ...begun, epoch, cursor: undefined, answered: new Set() }, [{ kind: 'forget' }]]
}

type Heard = Extract<SyncEvent, { kind: 'part' | 'answered' | 'reached' | 'refused' }>

function heard(sync: Open, event: Heard): Step {
  switch (event.kind) {
    case 'part': {
      const pages = [...(sync.arriving.get(event.id) ?? []), event.rows]
      return [{ ...sync, arriving: new Map(sync.arriving).set(event.id, pages) }, NONE]
    }
    case 'answered':
      return answered(sync, event.id, event.cursor)
    case 'reached':
      return [reached(sync, event.cursor), NONE]
    case 'refused':
      return refused(sync, event.id)
  }
}

/** A cursor is valid for the whole set only if no watch is without its answer. */
function reached(sync: Open, cursor: string | undefined): Open {
  return cursor !== undefined && isSettled(sync) ? { ...sync, cursor } : sync
}

function answered(sync: Open, id: number | undefined, cursor: string | undefined): Step {
  const settled = [...sync.asked].filter(([asked]) => (id ?? asked) === asked)
  const names = settled.flatMap(([, question]) => question.names)
  const [next, effects] = askNext({
    ...sync,
    answered: new Set([...sync.answered, ...names]),
    asked: without(sync.asked, ...settled.map(([asked]) => asked)),
    arriving: without(sync.arriving, id),
  })
  return [reached(next, cursor), isSettled(next) ? SETTLED : effects]
}

/** Halves the watch. Where the server refuses a single name, it has no room for any other one either. */
function refused(sync: Open, id: number): Step {
  const question = sync.asked.get(id)
  if (!question) return [sync, NONE]
  const { names, sent } = question
  const next = [...names, ...sync.next]
  const asked = without(sync.asked, id)
  if (sent === 1) {
    const [rest] = askNext({ ...sync, asked, next: [], portion: 1 })
    const refusal = { kind: 'refuse', names: next } as const
    return [rest, isSettled(rest) ? [refusal, ...SETTLED] : [refusal]]
  }
  // If names were removed since, the others may fit.
  const portion = names.length < sent ? Math.max(1, names.length) : Math.ceil(sent / 2)
  return askNext({ ...sync, asked, next, portion })
}

/** Sends a watch with as many names of `next` as the state permits. */
function askNext(sync: Open): readonly [Open, readonly SyncEffect[]] {
  const { cursor, portion } = sync
  const asked = new Map(sync.asked)
  const effects: SyncEffect[] = []
  let { next, lastId } = sync
  while (next.length > 0 && (portion === Infinity || asked.size === 0)) {
    const names = firstPortion(next, portion)
    next = next.slice(names.length)
    asked.set(++lastId, { names, sent: names.length })
    effects.push({ kind: 'ask', id: lastId, names, cursor })
  }
  const isDone = asked.size === 0 && next.length === 0
  return [{ ...sync, asked, next, lastId, portion: isDone ? Infinity : portion }, effects]
}

function without<Key, Value>(
  map: ReadonlyMap<Key, Value>,
  ...keys: Key[]
): ReadonlyMap<Key, Value> {
  const rest = new Map(map)
  for (const key of keys) rest.delete(key)
  return rest
}
