/** Certificates for tests, made on the spot: an authority, and whatever it signs. */
// The library below is built with an injector that finds its parts by it.
import 'reflect-metadata'
import { KeyObject, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

type CryptoKeyPair = webcrypto.CryptoKeyPair

export interface Certificate {
  /** In PEM form. */
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** The names it is for. @default localhost and 127.0.0.1 */
  readonly names?: readonly string[]
  readonly notBefore?: Date
  readonly notAfter?: Date
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 86_400_000

export class Authority {
  readonly #keys: CryptoKeyPair
  readonly #root: x509.X509Certificate
  #serial = 1

  private constructor(keys: CryptoKeyPair, root: x509.X509Certificate) {
    this.#keys = keys
    this.#root = root
  }

  static async create(name = 'Test authority'): Promise<Authority> {
    const keys = await generateKeys()
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    return new Authority(keys, root)
  }

  /** Its own certificate in PEM form. */
  get cert(): string {
    return this.#root.toString('pem')
  }

  async sign({
    names = ['localhost', '127.0.0.1'],
    notBefore = new Date(Date.now() - DAY_MS),
    notAfter = new Date(Date.now() + DAY_MS),
  }: CertificateOptions = {}): Promise<Certificate> {
    const keys = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (++this.#serial).toString(16).padStart(2, '0'),
      subject: `CN=${names[0] ?? 'nobody'}`,
      issuer: this.#root.subject,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({
            type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
            value,
          })),
        ),
      ],
    })
    return { cert: certificate.toString('pem'), key: pemOf(keys.privateKey) }
  }
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString()
}
