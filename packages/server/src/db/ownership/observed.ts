import type { Sql } from '../postgres/sql.ts'

/** A fragment over `connections c`: its columns are those of a `RowVersion`. */
export function rowVersion(sql: Sql): ReturnType<Sql> {
  return sql`
    c.id,
    -- The transaction that wrote this version of the row, whatever it wrote.
    c.xmin::text::bigint as version,
    c.revision,
    json_build_object(
      'status', c.status,
      'reason', c.reason,
      'detail', c.detail,
      'mqttReasonCode', c.mqtt_reason_code,
      'subscriptionsOk', c.subscriptions_ok,
      'since', c.since at time zone 'utc',
      'observedGeneration', c.observed_generation,
      'lastMessageAt', c.last_message_at at time zone 'utc',
      'device', c.device,
      'deviceSince', c.device_since at time zone 'utc'
    ) as seen`
}

/** A fragment over `connections c`: of its times those that can be true, as `{since, lastMessageAt, deviceSince}`. */
export function plausibleTimes(sql: Sql): ReturnType<Sql> {
  return sql`json_build_object(
    'since', ${past(sql, 'since')} at time zone 'utc',
    'lastMessageAt', ${past(sql, 'last_message_at')} at time zone 'utc',
    'deviceSince', ${past(sql, 'device_since')} at time zone 'utc'
  )`
}

/** A fragment: the time, or null where nothing can have been seen: in the future, at `infinity`, or before there was MQTT. */
export function past(
  sql: Sql,
  name: 'since' | 'last_message_at' | 'device_since',
): ReturnType<Sql> {
  const column = sql(`c.${name}`)
  return sql`(case when ${column} between '1999-01-01+00' and now() then ${column} end)`
}
