import 'server-only'
import { SignJWT } from 'jose'
import type { Viewer } from './viewer'

const LIFETIME_S = 600

/** What the client expects of a route that signs tokens. */
export interface MqttToken {
  readonly token: string
  readonly expiresIn: number
}

/** @throws if AUTH_JWT_SECRET is not set */
export async function mqttToken({ name, sites, mayControl }: Viewer): Promise<MqttToken> {
  const secret = process.env.AUTH_JWT_SECRET
  if (!secret)
    throw new Error('AUTH_JWT_SECRET is not set. Set it to the secret of the mqtt-status server.')
  const token = await new SignJWT({ sites, scope: mayControl ? 'view control' : 'view' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(name)
    .setExpirationTime(`${LIFETIME_S} s`)
    .sign(new TextEncoder().encode(secret))
  return { token, expiresIn: LIFETIME_S }
}
