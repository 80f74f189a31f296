/**
 * The observed columns of one row: as the owner has last read them from the table, and as they have to be. Only the owner may
 * write them, so if the two differ and no write of the owner is under way, another program has written them.
 */
import type { DeviceState } from '@mqtt-status/protocol'
import type { Claimed } from '../model/claimed.ts'
import type { Observed, RowVersion, StatusWrite } from '../model/observed.ts'
import type { StatusChange } from './session/status-change.ts'

/** A change of status, with the state of the device behind the connection. */
export interface Seen extends StatusChange {
  readonly device: DeviceState
}

/** The values that the row has to have; where `since` is `null`, it is the time of the next write. */
type Due = Omit<Observed, 'since'> & { readonly since: string | null }

export class Ledger {
  #claimed: Claimed
  #due: Due
  /** The newest version of the row in an answer of the database. */
  #row: RowVersion
  /** The newest revision that the feed has delivered. */
  #heard: number
  #writes = 0

  constructor(row: Claimed) {
    this.#claimed = row
    this.#row = row
    this.#heard = row.revision
    this.#due = { ...row.seen, ...row.plausible }
  }

  /** The row as it was last read. */
  get claimed(): Claimed {
    return this.#claimed
  }

  get version(): number {
    return this.#row.version
  }

  /** The values that were written last, or those of the row when it was claimed. */
  get due(): Due {
    return this.#due
  }

  /** Whether a write is under way; meanwhile the owner does not know the values in the table. */
  get isWriting(): boolean {
    return this.#writes > 0
  }

  /** Whether the feed has delivered a newer revision than all answers of the database. */
  get isBehind(): boolean {
    return this.#heard > this.#row.revision
  }

  /** The feed has delivered the row. */
  hear(revision: number): void {
    this.#heard = Math.max(this.#heard, revision)
  }

  /** @returns whether the row is at least as new as the known version */
  read(row: Claimed): boolean {
    if (row.revision < this.#row.revision) return false
    this.#claimed = row
    this.#note(row)
    return true
  }

  /** The columns that another writer has changed; empty while a write is under way. */
  foreign(): readonly (keyof Observed)[] {
    if (this.isWriting) return []
    const due = this.#bounded()
    const { seen } = this.#row
    return COLUMNS.filter((column) => due[column] !== seen[column])
  }

  /**
   * Makes the write of a new state.
   *
   * @param observedGeneration the generation of the last command that the owner had carried out at that time
   */
  write(seen: Seen, observedGeneration: number): StatusWrite {
    const { id, fence } = this.#claimed
    const { status, reason, detail, mqttReasonCode, subscriptionsOk, device } = seen
    return {
      id,
      fence,
      status,
      reason,
      detail,
      mqttReasonCode,
      subscriptionsOk,
      since: status === this.#due.status ? this.#due.since : null,
      observedGeneration,
      device,
      deviceSince: this.#due.deviceSince,
      deviceTurned: device !== this.#due.device,
    }
  }

  /** Makes the write that restores the values of the row. */
  restore(): StatusWrite {
    const { id, fence } = this.#claimed
    return { id, fence, ...this.#bounded(), deviceTurned: false }
  }

  /** The owner has sent a statement that writes the row. */
  begin(): void {
    this.#writes++
  }

  /** The statement has failed; the database may have executed it. */
  fail(): void {
    this.#writes--
  }

  /** The database has executed the statement: the table has this status. */
  wrote(write: StatusWrite, row: RowVersion): void {
    this.#writes--
    const { lastMessageAt } = write.lastMessageAt === undefined ? this.#due : row.seen
    this.#due = { ...row.seen, lastMessageAt }
    this.#note(row)
  }

  /** The database has executed the statement: the table has this time of the last message. */
  wroteActivity(row: RowVersion): void {
    this.#writes--
    this.#due = { ...this.#due, lastMessageAt: row.seen.lastMessageAt }
    this.#note(row)
  }

  /** Keeps the newer version, because answers of different sessions can arrive in any order. */
  #note(row: RowVersion): void {
    if (row.revision >= this.#row.revision) this.#row = row
  }

  /** Limits `observed_generation` to `generation`, which another program may have lowered. */
  #bounded(): Due {
    const { generation } = this.#claimed
    return {
      ...this.#due,
      observedGeneration: Math.min(this.#due.observedGeneration, generation),
    }
  }
}

const COLUMNS = [
  'status',
  'reason',
  'detail',
  'mqttReasonCode',
  'subscriptionsOk',
  'since',
  'observedGeneration',
  'lastMessageAt',
  'device',
  'deviceSince',
] as const satisfies readonly (keyof Observed)[]
