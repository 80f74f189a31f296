import { randomBytes } from 'node:crypto'
import { rotateSecrets } from '../db/secrets/secret-rotation.ts'
import { SetupError } from '../errors.ts'
import type { Edge } from './edge.ts'
import { withStorage } from './storage.ts'

const KEY_BYTES = 32

/** Prints a new key in the format of MQTT_SECRET_KEYS. No other code generates keys. */
export function generateKey(edge: Edge, id: string): void {
  if (!/^[\w.-]{1,64}$/.test(id))
    throw new SetupError(
      `--id: found "${id}", expected 1 to 64 letters, digits or one of . _ - (no colon, no comma).`,
    )
  edge.print(`${id}:${randomBytes(KEY_BYTES).toString('base64')}`)
}

/** Encrypts all secrets with the first key; an operator may interrupt and repeat it. */
export async function rotate(edge: Edge, flags: Record<string, string>): Promise<void> {
  await withStorage(edge, flags, async ({ sql, ring }) => {
    if (ring.first === null) {
      throw new SetupError(
        'MQTT_SECRET_KEYS is not set: there is no key to encrypt with.\n' +
          '  Set it to the new key, a comma and the former one, as the servers have it.',
      )
    }
    const { rotated, unreadable } = await rotateSecrets(sql, ring, ({ done, total }) => {
      edge.progress(`${done} of ${total}`)
    })
    edge.print(
      rotated === 1
        ? `1 secret is now under the key "${ring.first}".`
        : `${rotated} secrets are now under the key "${ring.first}".`,
    )
    if (unreadable.length === 0) {
      edge.print('No secret needs a former key any more.')
      return
    }
    const lines = unreadable.map(
      ({ connectionId, field, why }) => `${connectionId} ${field}: ${why}`,
    )
    throw new SetupError(
      `${unreadable.length} could not be read and stay as they are:\n` +
        lines.map((line) => `  ${line}`).join('\n') +
        '\n  Add the missing key, or set these secrets anew.',
    )
  })
}
