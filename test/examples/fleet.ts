/** The three dataloggers that every example shows, and the program that connects them. */
import { Broker } from '@mqtt-status/testing/broker'
import type { TestDatabase } from '@mqtt-status/testing/postgres'

/** Names of the dataloggers, by the id that the tests use. */
export const NAMES = {
  'plant-7': 'Impianto 7',
  'cascina-rossi': 'Cascina Rossi',
  'marghera-a': 'Porto Marghera, linea A',
} as const

export type Id = keyof typeof NAMES
export const IDS = Object.keys(NAMES) as Id[]

export type Wish = 'connected' | 'disconnected'

export interface Fleet {
  /** The id of the connection on pages and in `connections`. */
  connectionId(id: Id): string
  /** Writes what is asked for, as any program with a database connection does. */
  ask(wish: Wish, id: Id): Promise<void>
  /** What the program that connects the dataloggers reads. */
  desired(id: Id): Promise<Wish>
  /** How often a datalogger was disconnected. */
  disconnects(id: Id): Promise<number>
  stop(): Promise<void>
}

/** Rows of `connections` that the server keeps connected to a broker. */
export class SupervisedFleet implements Fleet {
  readonly #sql: TestDatabase['sql']
  readonly #broker: Broker

  private constructor(sql: TestDatabase['sql'], broker: Broker) {
    this.#sql = sql
    this.#broker = broker
  }

  static async start({ sql }: TestDatabase): Promise<SupervisedFleet> {
    const broker = await Broker.start()
    const rows = IDS.map((id) => ({
      id,
      site_id: id,
      name: NAMES[id],
      protocol: 'mqtt',
      host: '127.0.0.1',
      port: broker.port,
      client_id: id,
      topics: sql.json([`plants/${id}/#`]),
      desired: 'connected',
    }))
    await sql`insert into connections ${sql(rows)}`
    return new SupervisedFleet(sql, broker)
  }

  connectionId(id: Id): string {
    return id
  }

  async ask(wish: Wish, id: Id): Promise<void> {
    await this.#sql`
      update connections set desired = ${wish}, generation = generation + 1
      where id = ${id} and desired <> ${wish}`
  }

  async desired(id: Id): Promise<Wish> {
    const [row] = await this.#sql<{ desired: Wish }[]>`
      select desired from connections where id = ${id}`
    return found(row).desired
  }

  disconnects(id: Id): Promise<number> {
    return Promise.resolve(this.#broker.disconnects(id))
  }

  async stop(): Promise<void> {
    await this.#broker.stop()
  }
}

/** Rows of the table of examples/django, which is attached. A program of the example connects them. */
export class AttachedFleet implements Fleet {
  readonly #sql: TestDatabase['sql']

  constructor({ sql }: TestDatabase) {
    this.#sql = sql
  }

  connectionId(id: Id): string {
    return `django-${keyOf(id)}`
  }

  async ask(wish: Wish, id: Id): Promise<void> {
    await this.#sql`
      update public.mqtt_mqttconnection set enabled = ${wish === 'connected'}
      where id = ${keyOf(id)}`
  }

  async desired(id: Id): Promise<Wish> {
    const [row] = await this.#sql<{ enabled: boolean }[]>`
      select enabled from public.mqtt_mqttconnection where id = ${keyOf(id)}`
    return found(row).enabled ? 'connected' : 'disconnected'
  }

  async disconnects(id: Id): Promise<number> {
    const [row] = await this.#sql<{ times: number }[]>`
      select count(*)::int as times from connection_events
      where connection_id = ${this.connectionId(id)} and status = 'disconnected'`
    return found(row).times
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }
}

/** The primary key in the fixture of the example, which has the dataloggers in the same order. */
function keyOf(id: Id): number {
  return IDS.indexOf(id) + 1
}

function found<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('The datalogger has no row.')
  return row
}
