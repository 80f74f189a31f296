import 'server-only'
import type { Connection } from '@mqtt-status/widgets/client'
import type { Datalogger } from '@/portal/dataloggers'
import { mqttToken } from '@/portal/mqtt-token'
import { currentViewer } from '@/portal/viewer'
import { SERVER } from './server'

/** The last known rows by their ids; none if mqtt-status does not answer, so that the page renders all the same. */
export async function lastKnown(
  dataloggers: readonly Datalogger[],
): Promise<ReadonlyMap<string, Connection>> {
  const viewer = await currentViewer()
  if (!viewer) return new Map()
  const { token } = await mqttToken(viewer)
  const url = `${SERVER}/api/v1/connections?connections=${dataloggers.map(({ id }) => id).join()}`
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      cache: 'no-store',
      signal: AbortSignal.timeout(2_000),
    })
    if (!response.ok) throw new Error(`${url} responds with ${response.status}`)
    const { connections } = (await response.json()) as { connections: Connection[] }
    return new Map(connections.map((row) => [row.id, row]))
  } catch (error) {
    console.error(error)
    return new Map()
  }
}
