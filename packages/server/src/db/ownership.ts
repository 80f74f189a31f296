/**
 * Who keeps a connection. One instance supervises for now: it takes what it wants, and the epoch that rises with each
 * change of owner makes every late write of a former one void.
 */
import type { Desired, DeviceState, Status } from '@mqtt-status/protocol'
import { isOwn } from './epoch.ts'
import type { Sql } from './sql.ts'

/** What to dial, as stored: anybody may have written it, so nothing is believed yet. */
export interface DialRow {
  readonly protocol: string
  readonly host: string | null
  readonly port: number | null
  readonly path: string | null
  readonly protocolVersion: number | null
  readonly clientId: string | null
  readonly username: string | null
  readonly keepaliveS: number | null
  readonly tls: unknown
  readonly topics: unknown
  readonly availability: unknown
  readonly sparkplug: unknown
  readonly expectedIntervalS: number | null
  /** When each of its secrets was set, so that a new one is seen as a change; `null` if it has none. */
  readonly secretsChangedAt: Readonly<Record<string, string>> | null
}

export interface Claimed {
  readonly id: string
  readonly epoch: number
  readonly desired: Desired | null
  readonly status: Status
  readonly generation: number
  readonly observedGeneration: number
  readonly restartGeneration: number
  readonly device: DeviceState
  /** How long ago the last message came, by the clock of the database; `null`: never. */
  readonly lastMessageAgeMs: number | null
  readonly dial: DialRow
}

/**
 * Makes rows ours, or reads again those that are; rows that are not managed (any more) are left out. So are all rows
 * where the database has turned into a copy that nobody has adopted: it may do so between two reads of the feed.
 */
export function claim(
  sql: Sql,
  ownerId: string,
  ids: readonly string[],
): Promise<readonly Claimed[]> {
  return sql<Claimed[]>`
    update connections
    set epoch = case when owner_id = ${ownerId} then epoch else epoch + 1 end,
      owner_id = ${ownerId}
    where id in (select jsonb_array_elements_text(${sql.json(ids)}))
      and managed
      and (select meta.adopted_at is not null and ${isOwn(sql)} from meta)
    returning id, epoch, desired, status, generation,
      observed_generation as "observedGeneration",
      restart_generation as "restartGeneration",
      device,
      (extract(epoch from now() - last_message_at) * 1000)::float8 as "lastMessageAgeMs",
      json_build_object(
        'protocol', protocol,
        'host', host,
        'port', port,
        'path', path,
        'protocolVersion', protocol_version,
        'clientId', client_id,
        'username', username,
        'keepaliveS', keepalive_s,
        'tls', tls,
        'topics', topics,
        'availability', availability,
        'sparkplug', sparkplug,
        'expectedIntervalS', expected_interval_s,
        'secretsChangedAt', (
          select json_object_agg(s.field, s.updated_at)
          from connection_secrets s
          where s.connection_id = connections.id
        )
      ) as dial`
}

/** Lets go of everything; what was seen last stays until the next owner looks. */
export async function release(sql: Sql, ownerId: string): Promise<void> {
  await sql`
    update connections
    set owner_id = null
    where owner_id = ${ownerId}`
}
