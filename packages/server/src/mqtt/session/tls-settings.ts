/** The TLS part of the settings: what can be read of certificates and keys is checked before anything is dialled. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import * as v from 'valibot'
import type { FieldFault } from './field-fault.ts'

export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name that the certificate must be for. @default the host */
  readonly servername?: string
}

type Parsed = { readonly [field in keyof TlsSettings]: TlsSettings[field] | undefined }

const text = v.string('expected a text')

const pem = v.pipe(
  text,
  v.check(
    (value) => readable(() => new X509Certificate(value)),
    'expected a certificate in PEM form',
  ),
)

const KEY_EXPECTED = 'expected a private key in PEM form, not encrypted'

const keyPem = v.pipe(
  text,
  v.check((value) => readable(() => createPrivateKey(value)), KEY_EXPECTED),
)

/** Unknown fields are refused: a misspelt one would be a certificate that nobody checks. */
export const tlsSchema: v.GenericSchema<unknown, Parsed> = v.strictObject({
  ca: v.optional(pem),
  cert: v.optional(pem),
  key: v.optional(keyPem),
  servername: v.optional(
    v.pipe(text, v.regex(/^[^\s/@:\0]{1,253}$/, 'expected the name in the certificate')),
  ),
})

/**
 * What only shows when the fields are seen together.
 *
 * @param apart the private key that is kept with the secrets
 */
export function tlsFaults(secure: boolean, tls: Parsed, apart: string | null): FieldFault[] {
  const { cert } = tls
  const key = apart ?? tls.key
  if (apart !== null && !readable(() => createPrivateKey(apart)))
    return [{ field: 'tlsKey', code: 'format', message: KEY_EXPECTED }]
  if (!secure) {
    return cert === undefined && key === undefined && tls.ca === undefined
      ? []
      : [fault('tls', 'conflict', 'expected protocol mqtts or wss; without TLS it would be unused')]
  }
  if (cert === undefined && key === undefined) return []
  if (cert === undefined) return [fault('tls.cert', 'conflict', 'expected the certificate too')]
  if (key === undefined) return [fault('tls.key', 'conflict', 'expected the private key too')]
  return pairFaults(cert, key)
}

/** What is set of them, with the private key that is kept apart, if there is one. */
export function withKey(tls: Parsed, apart: string | null): TlsSettings {
  const all: Parsed = { ...tls, key: apart ?? tls.key }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function pairFaults(cert: string, key: string): FieldFault[] {
  const certificate = new X509Certificate(cert)
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    return [fault('tls.key', 'conflict', 'the key does not belong to the certificate')]
  const end = certificate.validToDate
  return end.getTime() < Date.now()
    ? [fault('tls.cert', 'expired', `the certificate has expired on ${end.toISOString()}`)]
    : []
}

function fault(field: string, code: FieldFault['code'], message: string): FieldFault {
  return { field, code, message }
}

function readable(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
