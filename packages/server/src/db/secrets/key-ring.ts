/**
 * The keys of secrets. The first one encrypts and all of them decrypt, so that an operator can replace a key while the
 * database still has secrets under the former one.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { SecretKey } from '../../config/values.ts'
import { StatusError } from '../../errors.ts'

/** The place of a secret. The encryption authenticates it, so a ciphertext that is copied to another row does not decrypt. */
export interface SecretPlace {
  readonly connectionId: string
  readonly field: string
}

export interface Sealed {
  readonly keyId: string
  readonly nonce: Buffer
  readonly ciphertext: Buffer
  readonly tag: Buffer
}

const CIPHER = 'aes-256-gcm'
/** NIST SP 800-38D, 8.2.2: random nonces of 96 bits are good for 2³² secrets of one key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

export class KeyRing {
  readonly #keys: ReadonlyMap<string, KeyObject>
  readonly #first: SecretKey | undefined

  constructor(keys: readonly SecretKey[]) {
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]))
    this.#first = keys[0]
  }

  /** The key that encrypts; `null` if there is none at all. */
  get first(): string | null {
    return this.#first?.id ?? null
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId)
  }

  /** @throws StatusError `secret_key_missing` */
  seal(place: SecretPlace, text: string): Sealed {
    if (this.#first === undefined) {
      throw new StatusError(
        'secret_key_missing',
        'This server has no key to encrypt secrets with. Its operator sets MQTT_SECRET_KEYS ("mqtt-status secrets generate-key" makes one); or send a reference like env:MQTT_SECRET_PLANT_7.',
      )
    }
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#first.key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(authenticated(place))
    const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return { keyId: this.#first.id, nonce, ciphertext, tag: cipher.getAuthTag() }
  }

  /** @returns the secret, or why it can't be read */
  open(
    place: SecretPlace,
    { keyId, nonce, ciphertext, tag }: Sealed,
  ): { readonly text: string } | { readonly why: string } {
    const key = this.#keys.get(keyId)
    if (key === undefined)
      return { why: `it is encrypted with the key "${keyId}", which is not in MQTT_SECRET_KEYS` }
    try {
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(authenticated(place))
      decipher.setAuthTag(tag)
      return { text: Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString() }
    } catch {
      return { why: `the key "${keyId}" does not fit, or what is stored was altered` }
    }
  }
}

function authenticated({ connectionId, field }: SecretPlace): Buffer {
  return Buffer.from(`${connectionId}|${field}|v1`)
}
