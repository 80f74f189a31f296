/** One attached table on the node that has the turn: when its rows are compared, what is left out, and which clicks wait. */
import type { Look, Sight } from '../db/attachments/look.ts'
import { distrust, takeAllNotes } from '../db/attachments/mirror.ts'
import { recordError, recordRefused } from '../db/attachments/store.ts'
import type { Database } from '../db/postgres/lane.ts'
import type { Log } from '../log.ts'
import type { Refusal } from '../model/attachment.ts'
import type { Fault } from './fault.ts'
import { describeError } from './fault.ts'
import * as pace from './pace.ts'
import { compareAll, readNotes } from './round.ts'
import type { RoundResult } from './round.ts'
import { Wishes } from './wishes.ts'

export interface MirroredOptions {
  readonly lane: Database
  readonly log: Log
  /** How long connections go on showing what was read last while the mirror fails, in ms. */
  readonly distrustMs: number
}

export class Mirrored {
  readonly #options: MirroredOptions
  readonly #wishes: Wishes
  /** Rows that are left out, by key. */
  readonly #refused = new Map<string, Refusal>()
  #sight: Sight
  #state: pace.State

  constructor(sight: Sight, now: number, options: MirroredOptions) {
    this.#options = options
    this.#sight = sight
    // Notes that were lost before are found in the next look.
    this.#state = pace.doubt({ now, xmax: 0n })
    const { id, name } = sight.attachment
    this.#wishes = new Wishes({ ...options, id, name })
  }

  /** The attachment or its tables may have changed. */
  see(sight: Sight, now: number): void {
    if (sight.fingerprint !== this.#sight.fingerprint) {
      this.#state = pace.hurry(this.#state, { now })
      this.#wishes.hurry()
    }
    this.#sight = sight
  }

  /** Notes may have been lost. */
  doubt(moment: pace.Moment): void {
    if (this.#state.kind !== 'failing') this.#state = pace.doubt(moment)
  }

  /** Does what is due. @returns whether there is more to do at once */
  async work(seen: Look, moment: pace.Moment): Promise<boolean> {
    const more = await this.#mirror(seen, moment)
    return (await this.#handWishes(seen, moment)) || more
  }

  /** The mirror has failed. */
  async fail(fault: Fault): Promise<void> {
    const { lane, log, distrustMs } = this.#options
    const { id, name } = this.#sight.attachment
    if (this.#state.kind !== 'failing')
      log.warn({ table: name, ...fault }, 'the attached table can not be mirrored')
    const now = performance.now()
    this.#state = pace.failed(this.#state, { now, random: Math.random(), distrustMs })
    // Where the database is away, the error can't be recorded either; the log has it.
    await lane.write((sql) => recordError(sql, id, fault)).catch(() => undefined)
  }

  /** The notes could not be read; all rows are compared as soon as they can. */
  async failToLook(fault: Fault): Promise<void> {
    await this.fail(fault)
    this.#state = pace.hurry(this.#state, { now: performance.now() })
  }

  /** After some time without a successful read, no connection shows a status that may be wrong by now. */
  async distrust(now: number): Promise<void> {
    if (!pace.isOverdue(this.#state, { now })) return
    const { lane, log, distrustMs } = this.#options
    const { id, name } = this.#sight.attachment
    const detail = `The table ${name} could not be read for ${Math.round(distrustMs / 1_000)} s; "mqtt-status attachments" says why.`
    const count = await lane.write((sql) => distrust(sql, id, { key: null, detail }))
    this.#state = pace.distrusted(this.#state, { now })
    if (count > 0) log.warn({ table: name, count }, 'connections of an attached table are unknown')
  }

  async #mirror({ noted }: Look, moment: pace.Moment): Promise<boolean> {
    const compares = moment.now >= this.#state.compareAt
    const reads = pace.readsNotes(this.#state) && noted.includes(this.#sight.attachment.id)
    if (!compares && !reads) return false
    try {
      const result = compares ? await this.#compare(moment) : await this.#read()
      if (result.kind === 'compare') this.#state = pace.hurry(this.#state, moment)
      return result.kind === 'compare' || (result.kind === 'done' && result.more)
    } catch (error) {
      await this.fail(describeError(error))
      await this.#dropNotes()
      return false
    }
  }

  /** A comparison of all rows comes next, whatever is noted: notes that wait for it would only be read again and again. */
  async #dropNotes(): Promise<void> {
    const { id } = this.#sight.attachment
    await this.#options.lane.write((sql) => takeAllNotes(sql, id)).catch(() => undefined)
  }

  async #compare(moment: pace.Moment): Promise<RoundResult> {
    const { lane, log } = this.#options
    const { id, name } = this.#sight.attachment
    const result = await compareAll(lane, id)
    if (result.kind !== 'done') return result
    const wasFailing = this.#state.kind === 'failing'
    this.#state = pace.compared(this.#state, moment)
    if (wasFailing) log.info({ table: name }, 'the attached table is mirrored again')
    await this.#keep(result)
    await this.#noteSilence()
    return result
  }

  async #read(): Promise<RoundResult> {
    const result = await readNotes(this.#options.lane, this.#sight.attachment.id)
    if (result.kind === 'done') await this.#keep(result)
    return result
  }

  /** A row is left out until it is read, or gone. */
  async #keep({ keys, refused }: Extract<RoundResult, { kind: 'done' }>): Promise<void> {
    const before = [...this.#refused.values()]
    if (keys === null) this.#refused.clear()
    for (const key of keys ?? []) this.#refused.delete(key)
    for (const refusal of refused) this.#refused.set(refusal.key, refusal)
    const now = [...this.#refused.values()]
    if (JSON.stringify(before) === JSON.stringify(now)) return
    const { lane, log } = this.#options
    const { id, name } = this.#sight.attachment
    if (refused.length > 0)
      log.warn(
        { table: name, rows: now.length, first: now[0] },
        'rows of the attached table are left out',
      )
    await lane.write((sql) => recordRefused(sql, id, now))
  }

  /** Changes that no trigger notes are found every five minutes only. */
  async #noteSilence(): Promise<void> {
    const { silent, attachment } = this.#sight
    if (silent.length === 0) return
    const message = `The trigger on ${silent.join(', ')} is missing or disabled: run "mqtt-status attach" again.`
    await this.#options.lane.write((sql) =>
      recordError(sql, attachment.id, { code: 'trigger_missing', message }),
    )
  }

  async #handWishes({ wished }: Look, { now }: pace.Moment): Promise<boolean> {
    const { id, wishError } = this.#sight.attachment
    if (wished.includes(id)) return this.#wishes.handAll(now)
    if (wishError !== null) await this.#wishes.rest()
    return false
  }
}
