/** Translates `sslmode` and related parameters, with the meaning of libpq, into the TLS options of Node. */
import { checkServerIdentity } from 'node:tls'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { ConnectionStringFault } from './fault.ts'
import type { Wishes } from './parameters.ts'

/**
 * `off`: no TLS. `prefer`: TLS where the server supports it, without a check of its certificate. `on`: always TLS, with the
 * options; a function returns the options, so that no log shows the key of a certificate.
 */
export type Tls =
  | { readonly kind: 'off' }
  | { readonly kind: 'prefer' }
  | { readonly kind: 'on'; readonly options: () => ConnectionOptions; readonly direct: boolean }

/** Reads a file; an argument, so that the other functions are pure. */
export type ReadFile = (path: string) => string

const MODES = [
  'disable',
  'allow',
  'prefer',
  'require',
  'no-verify',
  'verify-ca',
  'verify-full',
] as const
type Mode = (typeof MODES)[number]

const VERSIONS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** The word of libpq for the authorities of the TLS library, which here are those of Node. */
const SYSTEM = 'system'

/**
 * @param names the hosts that the certificate may be for
 * @throws ConnectionStringFault
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function toTls(wishes: Readonly<Wishes>, names: readonly string[], readFile: ReadFile): Tls {
  const mode = modeOf(wishes)
  const direct = wishes.directTls === true
  const isOptional = mode === 'disable' || mode === 'allow' || mode === 'prefer'
  if (direct && isOptional)
    throw new ConnectionStringFault('sslnegotiation=direct needs sslmode=require or stricter')
  if (mode === 'disable') return { kind: 'off' }
  // With an authority or a certificate the client never falls back to a connection without TLS.
  if (isOptional && (wishes.rootCert ?? wishes.cert) === undefined) return { kind: 'prefer' }
  const options: ConnectionOptions = {
    ...verification(mode, wishes, { names, readFile }),
    ...clientCertificate(wishes, readFile),
    ...(wishes.crl === undefined ? {} : { crl: contentOf('sslcrl', wishes.crl, readFile) }),
    ...(wishes.sni === false ? { servername: '' } : {}),
    ...version('minVersion', 'ssl_min_protocol_version', wishes.minVersion),
    ...version('maxVersion', 'ssl_max_protocol_version', wishes.maxVersion),
  }
  return { kind: 'on', direct, options: () => options }
}

function modeOf({ sslMode, sslDefault, rootCert }: Readonly<Wishes>): Mode {
  const isSystem = rootCert === SYSTEM
  const text = sslMode ?? sslDefault ?? (isSystem ? 'verify-full' : 'prefer')
  const mode = MODES.find((known) => known === text)
  if (mode === undefined)
    throw new ConnectionStringFault(`sslmode: found "${text}", expected ${MODES.join(', ')}`)
  if (isSystem && mode !== 'verify-full')
    throw new ConnectionStringFault(
      'sslrootcert=system needs sslmode=verify-full: such an authority signs for everybody',
    )
  return mode
}

function verification(
  mode: Mode,
  { rootCert }: Readonly<Wishes>,
  { names, readFile }: { names: readonly string[]; readFile: ReadFile },
): ConnectionOptions {
  const isVerified =
    mode === 'verify-ca' ||
    mode === 'verify-full' ||
    (rootCert !== undefined && mode !== 'no-verify')
  if (!isVerified) return { rejectUnauthorized: false }
  return {
    rejectUnauthorized: true,
    ...(rootCert === undefined || rootCert === SYSTEM
      ? {}
      : { ca: contentOf('sslrootcert', rootCert, readFile) }),
    checkServerIdentity: (_name, certificate) => {
      if (mode !== 'verify-full') return undefined
      // Node knows only the address of a host that it reaches by address or through hostaddr, so the check gets the name.
      const faults = names.map((name) => checkServerIdentity(name, certificate))
      return faults.includes(undefined) ? undefined : faults[0]
    },
  }
}

function clientCertificate(
  { cert, key, keyPassword }: Readonly<Wishes>,
  readFile: ReadFile,
): ConnectionOptions {
  if (cert === undefined && key === undefined) return {}
  if (cert === undefined || key === undefined)
    throw new ConnectionStringFault('sslcert and sslkey go together: give both, or none')
  return {
    cert: contentOf('sslcert', cert, readFile),
    key: contentOf('sslkey', key, readFile),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
  }
}

function version(
  option: 'minVersion' | 'maxVersion',
  parameter: string,
  value: string | undefined,
): ConnectionOptions {
  if (value === undefined) return {}
  if (!VERSIONS.includes(value))
    throw new ConnectionStringFault(
      `${parameter}: found "${value}", expected ${VERSIONS.join(', ')}`,
    )
  return { [option]: value as SecureVersion }
}

function contentOf(parameter: string, path: string, readFile: ReadFile): string {
  try {
    return readFile(path)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown failure'
    throw new ConnectionStringFault(
      `${parameter}: found "${path}", expected a file in PEM that this user may read (${why})`,
    )
  }
}
