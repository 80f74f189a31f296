/** The columns of `connections` as they travel: Postgres builds the JSON, so that there is one mapping and one format. */
import type { Sql } from '../postgres/sql.ts'
import { iso } from '../postgres/time.ts'

/** A fragment that is one row as JSON; times are ISO 8601 in UTC with milliseconds. */
export function rowAsJson(sql: Sql): ReturnType<Sql> {
  return sql`json_build_object(
    'id', id,
    'siteId', site_id,
    'name', name,
    'revision', revision,
    'desired', desired,
    'desiredAt', ${iso(sql, 'desired_at')},
    'desiredBy', desired_by,
    'status', status,
    'reason', reason,
    'detail', detail,
    'since', ${iso(sql, 'since')},
    'generation', generation,
    'observedGeneration', observed_generation,
    'lastMessageAt', ${iso(sql, 'last_message_at')},
    'device', device,
    'deviceSince', ${iso(sql, 'device_since')},
    'managed', managed,
    'labels', labels
  )`
}
