/** A supervisor over an in-memory table that fences writes as the database does. */
import { until } from '@mqtt-status/testing/until'
import { createLog } from '../../src/log.ts'
import type { ActivityWrite, Observed, RowVersion, StatusWrite } from '../../src/model/observed.ts'
import type { Claimed } from '../../src/model/claimed.ts'
import { Permit } from '../../src/ownership/permit.ts'
import { INITIAL_DIAL } from '../../src/model/connection/settings.ts'
import type { StoredDial } from '../../src/model/connection/settings.ts'
import { Resolver } from '../../src/dns/resolver.ts'
import type { Lookup } from '../../src/dns/resolver.ts'
import type { Secrets } from '../../src/mqtt/session/dial-settings.ts'
import { Supervisor } from '../../src/mqtt/supervisor.ts'
import { TIMING } from '../../src/mqtt/session/session-state.ts'
import type { SupervisorOptions } from '../../src/mqtt/supervisor.ts'

export const NOTHING: StoredDial = {
  ...INITIAL_DIAL,
  host: '127.0.0.1',
  keepaliveS: 2,
  topics: ['plant/#'],
}

/** A row as it is stored, with all columns side by side. */
interface Row extends Observed, Omit<Claimed, 'seen' | 'plausible' | 'dial'> {
  readonly managed: boolean
  readonly ownerId: string
  readonly dial: StoredDial
}

export interface WorldOptions extends Partial<SupervisorOptions> {
  /** Takes the place of hosts file, name servers and system. */
  readonly lookup?: Lookup
}

const NOW = '2026-11-23T19:00:00'

export class World {
  readonly supervisor: Supervisor
  /** Every status that was written, in order, as `id status/reason`. */
  readonly written: string[] = []
  readonly writes: StatusWrite[] = []
  /** Times of messages that were written, in order. */
  readonly activity: ActivityWrite[] = []
  /** What is kept apart from the rows, by id; `null` can't be read. */
  readonly secrets: Map<string, Secrets | null> = new Map()
  readonly #rows = new Map<string, Row>()
  reachable = true

  constructor({ lookup, ...options }: WorldOptions = {}) {
    const permit = new Permit(() => true)
    permit.grant()
    this.supervisor = new Supervisor({
      ownerId: 'me',
      isAlive: () => true,
      onFree: () => undefined,
      permit,
      store: {
        read: (ids) => {
          if (!this.reachable) return Promise.reject(new Error('database away'))
          const found = ids
            .map((id) => this.#rows.get(id))
            .filter((row) => row !== undefined)
            .filter(({ managed, ownerId }) => managed && ownerId === 'me')
          return Promise.resolve(structuredClone(found).map((row) => toClaimed(row)))
        },
        held: () => Promise.resolve(this.#held()),
        sum: () => {
          const versions = this.#held().map(({ version }) => version)
          return Promise.resolve({
            count: versions.length,
            versions: versions.reduce((sum, version) => sum + version, 0),
          })
        },
        release: () => Promise.resolve([]),
        write: (writes) => {
          if (!this.reachable) return Promise.reject(new Error('database away'))
          return Promise.resolve(this.#versions(writes.filter((write) => this.#write(write))))
        },
        writeActivity: (writes) => {
          if (!this.reachable) return Promise.reject(new Error('database away'))
          const ours = writes.filter(({ id, fence }) => this.#rows.get(id)?.fence === fence)
          this.activity.push(...ours)
          return Promise.resolve(this.#versions(ours))
        },
        secrets: () => {
          if (!this.reachable) return Promise.reject(new Error('database away'))
          const unreadable = { unreadable: 'password: its key is missing' }
          return Promise.resolve(
            new Map(Array.from(this.secrets, ([id, found]) => [id, found ?? unreadable])),
          )
        },
      },
      epoch: () => '0b7d3c1e-9a8f-4a57-8f8e-2f6a3a1c9d10',
      dialConcurrency: 50,
      allow: { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535]] },
      activityFlushMs: 60_000,
      connectTimeoutMs: 1_000,
      resolver: new Resolver(lookup === undefined ? {} : { lookup }),
      log: createLog({ level: 'silent', format: 'json' }),
      timing: {
        ...TIMING,
        transient: { baseMs: 20, capMs: 100 },
        slow: { baseMs: 40, capMs: 80 },
        probeMs: 60_000,
      },
      ...options,
    })
  }

  add(id: string, dial: Partial<StoredDial>, change: Partial<Row> = {}): void {
    this.#set({
      id,
      siteId: 's1',
      version: 0,
      revision: 0,
      fence: 1,
      managed: true,
      ownerId: 'me',
      desired: 'connected',
      status: 'disconnected',
      reason: null,
      detail: null,
      mqttReasonCode: null,
      subscriptionsOk: null,
      since: NOW,
      inherited: true,
      generation: 1,
      observedGeneration: 0,
      restartGeneration: 0,
      device: 'unknown',
      deviceSince: null,
      lastMessageAt: null,
      lastMessageAgeMs: null,
      dial: { ...NOTHING, ...dial },
      ...change,
    })
    this.#tell(id)
  }

  command(id: string, action: 'connect' | 'disconnect' | 'reconnect'): void {
    this.edit(id, (row) => ({
      ...row,
      desired: action === 'disconnect' ? 'disconnected' : 'connected',
      restartGeneration: row.restartGeneration + (action === 'reconnect' ? 1 : 0),
    }))
  }

  /** Any change of a row that is something to act on. */
  edit(id: string, change: (row: Row) => Row): void {
    const row = this.row(id)
    this.#set(change({ ...row, generation: row.generation + 1 }))
    this.#tell(id)
  }

  remove(id: string): void {
    this.#rows.delete(id)
    this.supervisor.reconcile({ kind: 'changes', rows: [], tombstones: [{ id }] })
  }

  /** Another instance has taken it over. */
  steal(id: string): void {
    const row = this.row(id)
    this.#set({ ...row, ownerId: 'another', fence: row.fence + 1 })
  }

  row(id: string): Row {
    const row = this.#rows.get(id)
    if (row === undefined) throw new Error(`There is no row ${id}`)
    return row
  }

  async status(id: string, status: string, reason?: string): Promise<void> {
    const matches = (write: StatusWrite): boolean =>
      write.id === id &&
      write.status === status &&
      (reason === undefined || write.reason === reason)
    await until(() => this.row(id).status === status && this.writes.some(matches), {
      // A dial into a black hole times out after 10 s.
      timeoutMs: 20_000,
      what: `${id} to be ${status}/${reason ?? 'any'} after ${this.written.join(', ')}`,
    })
  }

  #write(write: StatusWrite): boolean {
    const row = this.#rows.get(write.id)
    if (row === undefined || row.fence !== write.fence) return false
    this.#set({
      ...row,
      ...write,
      since: write.since ?? NOW,
      deviceSince: write.deviceTurned ? NOW : write.deviceSince,
      lastMessageAt: write.lastMessageAt === undefined ? row.lastMessageAt : write.lastMessageAt,
    })
    this.writes.push(write)
    this.written.push(`${write.id} ${write.status}/${write.reason ?? 'ok'}`)
    this.#tell(write.id)
    return true
  }

  #held(): Row[] {
    return [...this.#rows.values()].filter(({ ownerId }) => ownerId === 'me')
  }

  /** Every write makes another version of the row. */
  #set(row: Row): void {
    this.#rows.set(row.id, { ...row, version: row.version + 1, revision: row.revision + 1 })
  }

  #versions(writes: readonly { id: string }[]): ReadonlyMap<string, RowVersion> {
    return new Map(writes.map(({ id }) => [id, toClaimed(this.row(id))]))
  }

  #tell(id: string): void {
    this.supervisor.reconcile({
      kind: 'changes',
      // This node owns all rows.
      rows: [{ connection: this.row(id), ownerId: 'me' }],
      tombstones: [],
    })
  }
}

function toClaimed(row: Row): Claimed {
  const { since, lastMessageAt, deviceSince } = row
  return {
    ...row,
    seen: {
      status: row.status,
      reason: row.reason,
      detail: row.detail,
      mqttReasonCode: row.mqttReasonCode,
      subscriptionsOk: row.subscriptionsOk,
      since,
      observedGeneration: row.observedGeneration,
      lastMessageAt,
      device: row.device,
      deviceSince,
    },
    plausible: { since, lastMessageAt, deviceSince },
    dial: { ...row.dial, secretsChangedAt: null },
  }
}
