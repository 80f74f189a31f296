/** Names rows in the log whose times no program reads, once each time they come. */
import type { Connection } from '@mqtt-status/protocol'
import type { Log } from '../../log.ts'
import type { FeedRead } from './feed-read.ts'
import { EARLIEST, LATEST } from '../postgres/time.ts'

const COLUMNS = {
  desiredAt: 'desired_at',
  since: 'since',
  lastMessageAt: 'last_message_at',
  deviceSince: 'device_since',
} as const satisfies Partial<Record<keyof Connection, string>>

/** Ids in one line of the log. */
const SHOWN = 10

export class TimeWatch {
  readonly #log: Log
  /** Rows that the log has named, and that are still so. */
  readonly #named = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Rows that are remembered, for leak checks. */
  get size(): number {
    return this.#named.size
  }

  note({ kind, rows, tombstones }: Pick<FeedRead, 'kind' | 'rows' | 'tombstones'>): void {
    const before = new Set(this.#named)
    if (kind === 'snapshot') this.#named.clear()
    for (const { id } of tombstones) this.#named.delete(id)
    const found: string[] = []
    for (const { connection } of rows) {
      const columns = oddColumns(connection)
      if (columns.length === 0) {
        this.#named.delete(connection.id)
        continue
      }
      this.#named.add(connection.id)
      if (!before.has(connection.id)) found.push(`${connection.id} (${columns.join(', ')})`)
    }
    if (found.length === 0) return
    this.#log.warn(
      { connections: found.slice(0, SHOWN), count: found.length },
      'these rows have times that no program reads; the nearest ones that have four digits are sent',
    )
  }
}

function oddColumns(connection: Connection): string[] {
  return Object.entries(COLUMNS)
    .filter(([field]) => {
      const time = connection[field as keyof typeof COLUMNS]
      return time === EARLIEST || time === LATEST
    })
    .map(([, column]) => column)
}
