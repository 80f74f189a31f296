/**
 * The observed columns of one row as the table has them, as far as its owner knows, and as they have to be. Only the owner may
 * write them, so where the two differ and no write of the owner is under way, another program has written them.
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
  /** The newest version of the row that an answer has brought. */
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

  /** Whether a write is under way, so that what the table holds is not known. */
  get isWriting(): boolean {
    return this.#writes > 0
  }

  /** Whether the feed has delivered a revision that no answer of the database has brought yet. */
  get isBehind(): boolean {
    return this.#heard > this.#row.revision
  }

  /** The feed has delivered the row. */
  hear(revision: number): void {
    this.#heard = Math.max(this.#heard, revision)
  }

  /** @returns whether the row is at least as new as what is known */
  read(row: Claimed): boolean {
    if (row.revision < this.#row.revision) return false
    this.#claimed = row
    this.#note(row)
    return true
  }

  /** The columns that another writer has changed; empty while that can not be known. */
  foreign(): readonly (keyof Observed)[] {
    if (this.isWriting) return []
    const due = this.#bounded()
    const { seen } = this.#row
    return COLUMNS.filter((column) => due[column] !== seen[column])
  }

  /**
   * The write that says what was seen.
   *
   * @param observedGeneration the last command that had been acted on when it was seen
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

  /** The write that says again what the row has to hold. */
  restore(): StatusWrite {
    const { id, fence } = this.#claimed
    return { id, fence, ...this.#bounded(), deviceTurned: false }
  }

  /** A statement is on its way to the table. */
  begin(): void {
    this.#writes++
  }

  /** The statement has failed; it may have been executed all the same. */
  fail(): void {
    this.#writes--
  }

  /** The statement was executed: the status is what the table says now. */
  wrote(write: StatusWrite, row: RowVersion): void {
    this.#writes--
    const { lastMessageAt } = write.lastMessageAt === undefined ? this.#due : row.seen
    this.#due = { ...row.seen, lastMessageAt }
    this.#note(row)
  }

  /** The statement was executed: the time of the last message is what the table says now. */
  wroteActivity(row: RowVersion): void {
    this.#writes--
    this.#due = { ...this.#due, lastMessageAt: row.seen.lastMessageAt }
    this.#note(row)
  }

  /** Answers of different sessions may overtake each other. */
  #note(row: RowVersion): void {
    if (row.revision >= this.#row.revision) this.#row = row
  }

  /** `observed_generation` is never above `generation`, also where another program has set that back. */
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
