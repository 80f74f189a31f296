/** Finds conflicts between TLS settings: certificate, private key and protocol. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import * as v from 'valibot'
import type { FieldFault } from '../../model/connection/field-fault.ts'
import { keyPem } from '../../model/connection/schemas.ts'
import type { TlsSettings } from '../../model/connection/schemas.ts'
import { protocolNames } from '../../model/connection/transport-protocols.ts'

/** @param secretKey the private key in the table of secrets */
export function tlsFaults(
  secure: boolean,
  tls: TlsSettings,
  secretKey: string | null,
): FieldFault[] {
  const { cert } = tls
  const key = secretKey ?? tls.key
  if (secretKey !== null) {
    const parsed = v.safeParse(keyPem, secretKey)
    if (!parsed.success) return [fault('tlsKey', 'format', parsed.issues[0].message)]
  }
  if (!secure) {
    return cert === undefined && key === undefined && tls.ca === undefined
      ? []
      : [
          fault(
            'tls',
            'conflict',
            `expected protocol ${protocolNames(({ isEncrypted }) => isEncrypted)}; without TLS it would be unused`,
          ),
        ]
  }
  if (cert === undefined && key === undefined) return []
  if (cert === undefined) return [fault('tls.cert', 'conflict', 'expected the certificate too')]
  if (key === undefined) return [fault('tls.key', 'conflict', 'expected the private key too')]
  return pairFaults(cert, key)
}

/** The TLS settings that are set, with the private key of the secrets if there is one. */
export function withKey(tls: TlsSettings, secretKey: string | null): TlsSettings {
  const all: TlsSettings = { ...tls, key: secretKey ?? tls.key }
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
