import type { DeviceState, Reason, Status } from '@mqtt-status/protocol'
import type { Sql } from './sql.ts'

export interface StatusWrite {
  readonly id: string
  /** Fences the write: it only counts while the row still has this epoch and this owner. */
  readonly epoch: number
  readonly status: Status
  readonly reason: Reason | null
  readonly detail: string | null
  readonly mqttReasonCode: number | null
  readonly subscriptionsOk: boolean | null
  readonly observedGeneration: number
  /** What the change means for the device behind the connection; `null` leaves it as it is. */
  readonly device: DeviceState | null
}

/**
 * Writes what was seen, all rows in one statement.
 *
 * @returns the ids that were written; one that is missing is not ours any more, or gone
 */
export async function writeStatuses(
  sql: Sql,
  ownerId: string,
  writes: readonly StatusWrite[],
): Promise<ReadonlySet<string>> {
  const written = await sql<{ id: string }[]>`
    update ${sql.schema}.connections c
    set status = w.status,
      reason = w.reason,
      detail = w.detail,
      mqtt_reason_code = w."mqttReasonCode",
      subscriptions_ok = w."subscriptionsOk",
      observed_generation = greatest(c.observed_generation, w."observedGeneration"),
      device = coalesce(w.device, c.device)
    from jsonb_to_recordset(${sql.json(writes as never)}) as w (
      id text,
      epoch bigint,
      status text,
      reason text,
      detail text,
      "mqttReasonCode" integer,
      "subscriptionsOk" boolean,
      "observedGeneration" bigint,
      device text
    )
    where c.id = w.id and c.owner_id = ${ownerId} and c.epoch = w.epoch
    returning c.id`
  return new Set(written.map(({ id }) => id))
}
