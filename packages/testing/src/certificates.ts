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
  /** An RSA key of 1,024 bits, which OpenSSL takes for too small. @default false */
  readonly weak?: boolean
}

export interface AuthorityOptions {
  /** How many authorities may stand between it and what is signed. @default any number */
  readonly pathLength?: number
  readonly notBefore?: Date
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const WEAK_ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 1_024,
}
const DAY_MS = 86_400_000

export class Authority {
  readonly #keys: CryptoKeyPair
  readonly #own: x509.X509Certificate
  #serial = 1
  readonly #revoked: string[] = []

  private constructor(keys: CryptoKeyPair, own: x509.X509Certificate) {
    this.#keys = keys
    this.#own = own
  }

  static async create(name = 'Test authority', options: AuthorityOptions = {}): Promise<Authority> {
    const keys = await generateKeys(ALGORITHM)
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: authorityExtensions(options),
    })
    return new Authority(keys, own)
  }

  /** Its own certificate in PEM form. */
  get cert(): string {
    return this.#own.toString('pem')
  }

  /** Another authority that this one has signed. */
  async delegate(name: string, options: AuthorityOptions = {}): Promise<Authority> {
    const keys = await generateKeys(ALGORITHM)
    const own = await x509.X509CertificateGenerator.create({
      serialNumber: this.#nextSerial(),
      subject: `CN=${name}`,
      issuer: this.#own.subject,
      notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: authorityExtensions(options),
    })
    return new Authority(keys, own)
  }

  async sign({
    names = ['localhost', '127.0.0.1'],
    notBefore = new Date(Date.now() - DAY_MS),
    notAfter = new Date(Date.now() + DAY_MS),
    weak = false,
  }: CertificateOptions = {}): Promise<Certificate> {
    const keys = await generateKeys(weak ? WEAK_ALGORITHM : ALGORITHM)
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: this.#nextSerial(),
      subject: `CN=${names[0] ?? 'nameless'}`,
      issuer: this.#own.subject,
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

  /** Puts a certificate on the list of those that are revoked. */
  revoke({ cert }: Certificate): void {
    this.#revoked.push(new x509.X509Certificate(cert).serialNumber)
  }

  /** The list of revoked certificates in PEM form. */
  async revocations(): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#own.subject,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate: new Date(Date.now() + DAY_MS),
      signingAlgorithm: ALGORITHM,
      signingKey: this.#keys.privateKey,
      entries: this.#revoked.map((serialNumber) => ({
        serialNumber,
        revocationDate: new Date(Date.now() - DAY_MS / 2),
      })),
    })
    // The library writes a head that OpenSSL does not read.
    return list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----')
  }

  #nextSerial(): string {
    return (++this.#serial).toString(16).padStart(2, '0')
  }
}

function authorityExtensions({ pathLength }: AuthorityOptions): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ]
}

type KeyAlgorithm = typeof ALGORITHM | typeof WEAK_ALGORITHM

async function generateKeys(algorithm: KeyAlgorithm): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString()
}
