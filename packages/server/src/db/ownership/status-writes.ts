import type { StatusWrite, Written } from '../../model/observed.ts'
import { writeBatch } from './batch-write.ts'
import type { Sql } from '../postgres/sql.ts'

/**
 * Writes the states of many connections in one statement. It sets every observed column, so it replaces values of other
 * writers.
 */
export function writeStatuses(
  sql: Sql,
  ownerId: string,
  writes: readonly StatusWrite[],
): Promise<Written> {
  return writeBatch(sql, ownerId, {
    rows: sql`jsonb_to_recordset(${sql.json(writes.map(toRecord) as never)}) as w (
      id text,
      fence bigint,
      status text,
      reason text,
      detail text,
      "mqttReasonCode" integer,
      "subscriptionsOk" boolean,
      since timestamp,
      "observedGeneration" bigint,
      device text,
      "deviceSince" timestamp,
      "deviceTurned" boolean,
      "lastMessageAt" timestamp,
      restores boolean
    )`,
    set: sql`
      status = w.status,
      reason = w.reason,
      detail = w.detail,
      mqtt_reason_code = w."mqttReasonCode",
      subscriptions_ok = w."subscriptionsOk",
      since = coalesce(w.since at time zone 'utc', now()),
      observed_generation = w."observedGeneration",
      device = w.device,
      device_since = case
        when w."deviceTurned" then now()
        else w."deviceSince" at time zone 'utc'
      end,
      last_message_at = case
        when w.restores then w."lastMessageAt" at time zone 'utc'
        else c.last_message_at
      end`,
  })
}

function toRecord(write: StatusWrite): StatusWrite & { restores: boolean } {
  return { ...write, restores: write.lastMessageAt !== undefined }
}
