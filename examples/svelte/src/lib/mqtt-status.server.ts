import type { Connection } from '@mqtt-status/widgets'
import { MQTT_STATUS_URL } from '$app/env/public'

/** The last known rows by their ids; none if mqtt-status does not answer, so that the page renders all the same. */
export async function lastKnown(ids: readonly string[]): Promise<Map<string, Connection>> {
  const url = `${MQTT_STATUS_URL}/api/v1/connections?connections=${ids.join()}`
  try {
    // With tokens: headers: { authorization: `Bearer ${token}` }
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    if (!response.ok) throw new Error(`${url} responds with ${response.status}`)
    const { connections }: { connections: Connection[] } = await response.json()
    return new Map(connections.map((connection) => [connection.id, connection]))
  } catch (error) {
    console.error(error)
    return new Map()
  }
}
