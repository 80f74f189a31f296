/** The sessions of a node, apart for each kind of work. */
import type { PostgresAddress } from '../../config/connection-string/address.ts'
import { Lane } from './lane.ts'

export interface LanesOptions {
  readonly address: PostgresAddress
  /** Where the tables are. */
  readonly schema: string
  /** Sessions of all lanes but those of the lease and of the mirror. Each lane has one at least, so fewer than six count as six. */
  readonly sessions: number
  readonly deadlineMs: number
}

export interface Lanes {
  /** Reads what has changed. */
  readonly feed: Lane
  /** Prunes, and gives copies a new epoch: may take long. */
  readonly upkeep: Lane
  /** Reads of the supervisor: rows, shares, secrets for dials. */
  readonly dials: Lane
  /** Writes of the supervisor: statuses, times of messages, claims and releases. */
  readonly keeping: Lane
  /** Reads of HTTP requests. */
  readonly queries: Lane
  /** Writes of HTTP requests. */
  readonly commands: Lane
  /** Renews the lease. */
  readonly lease: Lane
  /** Mirrors attached tables. */
  readonly mirror: Lane
}

export interface Shares {
  readonly feed: number
  readonly upkeep: number
  readonly dials: number
  readonly keeping: number
  readonly queries: number
  readonly commands: number
}

const LEAST = 6
/** The supervisor writes three kinds of things, and each kind one statement at a time. */
const MOST_KEEPING = 3
const UPKEEP_MS = 600_000

/** How many sessions each lane gets: people get what is left, most of it for commands, which wait for locks. */
export function shareOut(sessions: number): Shares {
  const all = Math.max(LEAST, sessions)
  const keeping = Math.min(MOST_KEEPING, Math.max(1, Math.floor(all / 5)))
  const people = all - 3 - keeping
  const queries = Math.floor(people / 2)
  return { feed: 1, upkeep: 1, dials: 1, keeping, queries, commands: people - queries }
}

export function openLanes({ address, schema, sessions, deadlineMs }: LanesOptions): Lanes {
  const shares = shareOut(sessions)
  const lane = (name: keyof Shares, limitMs = deadlineMs): Lane =>
    new Lane({
      address,
      schema,
      applicationName: 'mqtt-status',
      sessions: shares[name],
      deadlineMs: limitMs,
    })
  const extra = (applicationName: string): Lane =>
    new Lane({ address, schema, applicationName, sessions: 1, deadlineMs })
  return {
    feed: lane('feed'),
    upkeep: lane('upkeep', UPKEEP_MS),
    dials: lane('dials'),
    keeping: lane('keeping'),
    queries: lane('queries'),
    commands: lane('commands'),
    lease: extra('mqtt-status-lease'),
    mirror: extra('mqtt-status-mirror'),
  }
}

export async function closeLanes(lanes: Lanes): Promise<void> {
  await Promise.all(Object.values(lanes).map((lane: Lane) => lane.stop()))
}
