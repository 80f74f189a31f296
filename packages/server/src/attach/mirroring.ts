/**
 * Keeps connections equal to the rows of all attached tables, on one node at a time. The node with the turn looks for notes
 * ten times a second. It is not notified: each notification takes a lock of the whole cluster until its transaction has
 * committed, and a transaction that has notified can not be prepared for a two-phase commit.
 */
import { look, leaveTurn, readSights, takeTurn } from '../db/attachments/look.ts'
import type { Look, Sight } from '../db/attachments/look.ts'
import { clearError, recordError, recordRefused } from '../db/attachments/store.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import { within } from '../model/deadline.ts'
import type { Refusal } from '../model/attachment.ts'
import { compared, doubt, failed, hurry, readsNotes } from './pace.ts'
import type { Moment, State } from './pace.ts'
import { compareAll, describeError, readNotes } from './round.ts'
import type { RoundResult } from './round.ts'

export interface MirroringOptions {
  readonly lane: Database
  /** Names this node. */
  readonly nodeId: string
  readonly log: Log
  /** @default those of the server */
  readonly timing?: MirroringTiming
}

/** In ms. */
export interface MirroringTiming {
  /** Between two looks for notes. */
  readonly lookMs: number
  /** Between two looks at the attachments and their tables, and for the turn. */
  readonly sightMs: number
}

const TIMING: MirroringTiming = { lookMs: 100, sightMs: 1_000 }
/** The turn is renewed before a third of it has passed. */
const RENEW_MS = 2_000
/** A look at a table that another session has locked is given up. */
const LOOK_MS = 2_000
const COMPARE_MS = 120_000
const STOP_MS = 5_000
const SHOWN = 20

interface Mirrored {
  sight: Sight
  state: State
  /** Rows that were left out since all rows were compared last, by key. */
  readonly refused: Map<string, Refusal>
}

export class Mirroring {
  readonly #options: MirroringOptions
  readonly #timing: MirroringTiming
  readonly #mirrored = new Map<number, Mirrored>()
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> | null = null
  #turnAt = Number.NEGATIVE_INFINITY
  #sightAt = Number.NEGATIVE_INFINITY
  #losses: number | null = null
  #failing = false

  constructor(options: MirroringOptions) {
    this.#options = options
    this.#timing = options.timing ?? TIMING
  }

  start(): void {
    this.#schedule(0)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer ?? undefined)
    if (this.#round !== null) await within(STOP_MS, this.#round).catch(() => undefined)
    const { lane, nodeId } = this.#options
    if (this.#turnAt > Number.NEGATIVE_INFINITY)
      await lane.write((sql) => leaveTurn(sql, nodeId)).catch(() => undefined)
  }

  #schedule(ms: number): void {
    if (this.#stopping.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#round = this.#try().then((waitMs) => {
        this.#round = null
        this.#schedule(waitMs)
      })
    }, ms)
  }

  /** @returns how long to wait before the next round */
  async #try(): Promise<number> {
    const { log } = this.#options
    try {
      if (!(await this.#hasTurn())) return this.#timing.sightMs
      await this.#see()
      const { sightMs, lookMs } = this.#timing
      const more = this.#mirrored.size > 0 && (await this.#mirror())
      if (this.#failing) log.info('attached tables can be mirrored again')
      this.#failing = false
      return this.#mirrored.size === 0 ? sightMs : more ? 0 : lookMs
    } catch (error) {
      if (!this.#failing) log.warn({ err: error }, 'attached tables can not be mirrored')
      this.#failing = true
      this.#turnAt = Number.NEGATIVE_INFINITY
      this.#losses = null
      return this.#timing.sightMs
    }
  }

  async #hasTurn(): Promise<boolean> {
    const now = performance.now()
    if (now - this.#turnAt < RENEW_MS) return true
    const { lane, nodeId } = this.#options
    const taken = await lane.write((sql) => takeTurn(sql, nodeId))
    this.#turnAt = taken ? now : Number.NEGATIVE_INFINITY
    // Another node has read the notes meanwhile, so nothing that this node remembers holds.
    if (!taken) this.#mirrored.clear()
    return taken
  }

  /** Takes note of attachments that are new, changed or gone. */
  async #see(): Promise<void> {
    const now = performance.now()
    if (now - this.#sightAt < this.#timing.sightMs) return
    const sights = await this.#options.lane.read(readSights)
    this.#sightAt = now
    for (const id of this.#mirrored.keys())
      if (!sights.some(({ attachment }) => attachment.id === id)) this.#mirrored.delete(id)
    for (const sight of sights) {
      const known = this.#mirrored.get(sight.attachment.id)
      if (known === undefined) continue
      if (known.sight.fingerprint !== sight.fingerprint) known.state = hurry(known.state, { now })
      known.sight = sight
    }
    for (const sight of sights) {
      const { id } = sight.attachment
      // Notes that were lost before are found in the next look.
      if (!this.#mirrored.has(id))
        this.#mirrored.set(id, { sight, state: doubt({ now, xmax: 0n }), refused: new Map() })
    }
  }

  /** @returns whether there is more to do at once */
  async #mirror(): Promise<boolean> {
    const seen = await this.#look()
    const moment: Moment = { ...seen, now: performance.now(), random: Math.random() }
    if (this.#losses !== seen.losses)
      for (const mirrored of this.#mirrored.values())
        if (mirrored.state.kind !== 'failing') mirrored.state = doubt(moment)
    this.#losses = seen.losses
    let more = false
    for (const mirrored of this.#mirrored.values()) {
      if (this.#stopping.signal.aborted) return false
      more = (await this.#mirrorOne(mirrored, { seen, moment })) || more
    }
    return more
  }

  async #look(): Promise<Look> {
    try {
      return await this.#options.lane.read(look, { deadlineMs: LOOK_MS })
    } catch (error) {
      for (const mirrored of this.#mirrored.values()) {
        await this.#fail(mirrored, describeError(error))
        // All rows are compared after the first look that succeeds.
        mirrored.state = hurry(mirrored.state, { now: performance.now() })
      }
      throw error
    }
  }

  async #mirrorOne(
    mirrored: Mirrored,
    { seen, moment }: { seen: Look; moment: Moment },
  ): Promise<boolean> {
    const { id } = mirrored.sight.attachment
    const compares = moment.now >= mirrored.state.compareAt
    const reads = readsNotes(mirrored.state) && seen.noted.includes(id)
    if (!compares && !reads) return false
    try {
      const result = compares ? await this.#compare(mirrored, moment) : await this.#read(mirrored)
      if (result.kind === 'compare') {
        mirrored.state = hurry(mirrored.state, moment)
        return true
      }
      return result.kind === 'done' && result.more
    } catch (error) {
      await this.#fail(mirrored, describeError(error))
      return false
    }
  }

  async #compare(mirrored: Mirrored, moment: Moment): Promise<RoundResult> {
    const { lane, log } = this.#options
    const { id, name } = mirrored.sight.attachment
    const before = mirrored.state.kind
    const result = await compareAll(limited(lane), id)
    if (result.kind !== 'done') return result
    mirrored.state = compared(mirrored.state, moment)
    mirrored.refused.clear()
    await this.#refuse(mirrored, result.refused)
    if (before === 'failing') {
      log.info({ table: name }, 'the attached table is mirrored again')
      await lane.write((sql) => clearError(sql, id))
    }
    await this.#noteSilence(mirrored)
    return result
  }

  async #read(mirrored: Mirrored): Promise<RoundResult> {
    const result = await readNotes(this.#options.lane, mirrored.sight.attachment.id)
    if (result.kind === 'done') await this.#refuse(mirrored, result.refused)
    return result
  }

  async #refuse(mirrored: Mirrored, refused: readonly Refusal[]): Promise<void> {
    if (refused.length === 0) return
    const { lane, log } = this.#options
    const { id, name } = mirrored.sight.attachment
    for (const refusal of refused) mirrored.refused.set(refusal.key, refusal)
    const first = [...mirrored.refused.values()].slice(0, SHOWN)
    const { size } = mirrored.refused
    log.warn(
      { table: name, rows: size, first: first[0] },
      'rows of the attached table are left out',
    )
    await lane.write((sql) => recordRefused(sql, id, { count: size, first }))
  }

  /** Changes that no trigger notes are found every five minutes only. */
  async #noteSilence({ sight }: Mirrored): Promise<void> {
    if (sight.silent.length === 0) return
    const message = `The trigger on ${sight.silent.join(', ')} is missing or disabled: run "mqtt-status attach" again.`
    await this.#options.lane.write((sql) =>
      recordError(sql, sight.attachment.id, { code: 'trigger_missing', message }),
    )
  }

  async #fail(mirrored: Mirrored, fault: { code: string; message: string }): Promise<void> {
    const { lane, log } = this.#options
    const { id, name } = mirrored.sight.attachment
    if (mirrored.state.kind !== 'failing')
      log.warn({ table: name, ...fault }, 'the attached table can not be mirrored')
    mirrored.state = failed(mirrored.state, { now: performance.now(), random: Math.random() })
    // Where the database is away, the error can't be recorded either; the log has it.
    await lane.write((sql) => recordError(sql, id, fault)).catch(() => undefined)
  }
}

/** A comparison of many rows takes longer than a statement of a lane usually may. */
function limited(lane: Database): Database {
  return {
    ...bound(lane),
    transact: (work) => lane.transact(work, { deadlineMs: COMPARE_MS }),
  }
}

function bound(lane: Database): Database {
  return {
    read: (work, asking) => lane.read(work, asking),
    write: (work, asking) => lane.write(work, asking),
    transact: (work, asking) => lane.transact(work, asking),
  }
}
