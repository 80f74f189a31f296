/**
 * Keeps connections equal to the rows of all attached tables, on one node at a time. The node with the turn looks for notes
 * ten times a second. It is not notified: each notification takes a lock of the whole cluster until its transaction has
 * committed, and a transaction that has notified can not be prepared for a two-phase commit.
 */
import { look, leaveTurn, readSights, takeTurn } from '../db/attachments/look.ts'
import type { Look, Sight } from '../db/attachments/look.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import { within } from '../model/deadline.ts'
import { describeError } from './fault.ts'
import { Mirrored } from './mirrored.ts'
import type { Moment } from './pace.ts'

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
  /** How long connections go on showing what was read last while their table can not be read. */
  readonly distrustMs: number
}

const TIMING: MirroringTiming = { lookMs: 100, sightMs: 1_000, distrustMs: 60_000 }
/** The turn is renewed before a third of it has passed. */
const RENEW_MS = 2_000
/** A look at a table that another session has locked is given up. */
const LOOK_MS = 2_000
const STOP_MS = 5_000

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
      for (const mirrored of this.#mirrored.values()) await mirrored.distrust(performance.now())
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
      const { id } = sight.attachment
      const known = this.#mirrored.get(id)
      if (known === undefined) this.#mirrored.set(id, this.#begin(sight, now))
      else known.see(sight, now)
    }
  }

  #begin(sight: Sight, now: number): Mirrored {
    const { lane, log } = this.#options
    return new Mirrored(sight, now, { lane, log, distrustMs: this.#timing.distrustMs })
  }

  /** @returns whether there is more to do at once */
  async #mirror(): Promise<boolean> {
    const seen = await this.#look()
    const moment: Moment = { ...seen, now: performance.now(), random: Math.random() }
    if (this.#losses !== seen.losses)
      for (const mirrored of this.#mirrored.values()) mirrored.doubt(moment)
    this.#losses = seen.losses
    let more = false
    for (const mirrored of this.#mirrored.values()) {
      if (this.#stopping.signal.aborted) return false
      more = (await mirrored.work(seen, moment)) || more
    }
    return more
  }

  async #look(): Promise<Look> {
    try {
      return await this.#options.lane.read(look, { deadlineMs: LOOK_MS })
    } catch (error) {
      for (const mirrored of this.#mirrored.values())
        await mirrored.failToLook(describeError(error))
      throw error
    }
  }
}
