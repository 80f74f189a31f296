import { mqttToken } from '@/portal/mqtt-token'
import { currentViewer } from '@/portal/viewer'

/** The client fetches the token of the signed-in viewer here, and again before it expires. */
export async function GET(): Promise<Response> {
  const headers = { 'cache-control': 'no-store' }
  const viewer = await currentViewer()
  if (!viewer) return Response.json({ error: 'sign in' }, { status: 401, headers })
  return Response.json(await mqttToken(viewer), { headers })
}
