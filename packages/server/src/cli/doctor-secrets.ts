import { KeyRing } from '../db/secrets/key-ring.ts'
import type { SecretKey } from '../config/values.ts'
import { countSecrets } from '../db/secrets/secrets.ts'
import type { Sql } from '../db/postgres/sql.ts'
import type { Answer } from './finding.ts'

const CURE =
  'Add the missing keys to MQTT_SECRET_KEYS; if they are lost, set the passwords of these connections anew.'

/** Whether this process has the keys that stored secrets are encrypted with. */
export async function secrets(sql: Sql, keys: readonly SecretKey[]): Promise<Answer> {
  const ring = new KeyRing(keys)
  const { references, sealed } = await countSecrets(sql)
  const total = sealed.reduce((sum, { count }) => sum + count, 0)
  const missing = sealed.filter(({ keyId }) => !ring.has(keyId))
  const found = `${total} are encrypted, ${references} are references`
  if (missing.length === 0) return { state: 'ok', found }
  const names = missing.map(({ keyId, count }) => `"${keyId}" (${count})`).join(', ')
  const state = missing.length === sealed.length ? 'broken' : 'warning'
  return { state, found: `${found}; these keys are missing: ${names}`, cure: CURE }
}
