/** Splits a connection string as libpq does, and also accepts special characters in a password. */
import { ConnectionStringFault } from './fault.ts'

export interface Host {
  /** A name or an address; `null` = not given. */
  readonly name: string | null
  readonly port: number | null
}

export interface Parts {
  readonly user: string | null
  readonly password: string | null
  readonly hosts: readonly Host[]
  readonly database: string | null
  /** By name in lower case; the last of several parameters with one name counts. */
  readonly parameters: ReadonlyMap<string, string>
}

const PARAMETERS = 'after the "?" expected parameters like name=value, with "&" between'
const LIKE = 'postgres://user:password@host:5432/database'

/** The last "@" before the first "?" ends the credentials, so that a password may contain "@", "/", "#" and ":". */
const SHAPE =
  /^postgres(?:ql)?(?:\+\w+)?:\/\/(?:(?<credentials>[^?]*)@)?(?<hosts>[^@/?]*)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/is

/** @throws ConnectionStringFault, which quotes no part of the text, because any part may belong to the password */
export function split(text: string): Parts {
  refuseOtherForms(text)
  const groups = SHAPE.exec(text)?.groups
  if (groups === undefined) throw new ConnectionStringFault(`expected an address like ${LIKE}`)
  const { credentials, hosts = '', database, query = '' } = groups
  if (credentials === undefined && query.includes('@') && /[:=]/.test(hosts))
    throw new ConnectionStringFault('a "?" in the user name or password has to be written as %3F')
  const [user = '', ...password] = (credentials ?? '').split(':')
  return {
    user: given(decode(user, 'user name')),
    password: given(decode(password.join(':'), 'password')),
    hosts: hosts === '' ? [] : hosts.split(',').map(toHost),
    database: given(decode(database ?? '', 'name of the database')),
    parameters: toParameters(query),
  }
}

/** An empty part of an address counts as not given. */
export function given(text: string): string | null {
  return text === '' ? null : text
}

/** @throws ConnectionStringFault */
export function toPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port
  throw new ConnectionStringFault('the port is not a number from 1 to 65535')
}

/** Refuses the forms of other libraries, with what to write instead. */
function refuseOtherForms(text: string): void {
  if (/^['"]/.test(text))
    throw new ConnectionStringFault('the value is in quotes; remove them (an env file keeps them)')
  if (/^jdbc:/i.test(text))
    throw new ConnectionStringFault(
      `found an address for JDBC; write ${LIKE}, without "jdbc:" and with the user and the password before the host`,
    )
  const scheme = /^([a-z][a-z0-9.-]*)(?:\+\w+)?:\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined && /^\s*\w+\s*=/.test(text))
    throw new ConnectionStringFault(`found keywords and values; write them as ${LIKE}`)
  if (scheme !== undefined && scheme !== 'postgres' && scheme !== 'postgresql')
    throw new ConnectionStringFault(`expected an address like ${LIKE}, not one of "${scheme}:"`)
}

function toHost(text: string): Host {
  if (/^[^[]*:.*:/.test(text))
    throw new ConnectionStringFault('an IPv6 address has to be in brackets, as in [::1]:5432')
  // An IPv6 address is in brackets, because it has colons itself.
  const [, bracketed, plain = '', port = ''] =
    /^(?:\[([\da-f:.]+(?:%25[\w.-]+)?)\]|([^:[\]]*))(?::(.*))?$/i.exec(text) ?? []
  if (bracketed === undefined && plain === '' && text !== '' && !text.startsWith(':'))
    throw new ConnectionStringFault('the host is neither a name nor an address')
  return {
    name: given(bracketed ?? decode(plain, 'host')),
    port: port === '' ? null : toPort(port),
  }
}

function toParameters(query: string): ReadonlyMap<string, string> {
  const pairs = query.split('&').filter((pair) => pair !== '')
  return new Map(
    pairs.flatMap((pair) => {
      const [name = '', ...value] = pair.split('=')
      if (value.length === 0) throw new ConnectionStringFault(PARAMETERS)
      const text = decode(value.join('='), `parameter ${nameOf(name)}`)
      return text === '' ? [] : [[nameOf(name), text] as const]
    }),
  )
}

/** Text that is not a word may belong to a password with a "?" or a "&" in it, so no message quotes it. */
function nameOf(text: string): string {
  if (/^[a-z_][\w.-]*$/i.test(text)) return text.toLowerCase()
  throw new ConnectionStringFault(PARAMETERS)
}

/** A "+" stays a "+", as in libpq. */
function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ConnectionStringFault(`a "%" in the ${what} begins no code like %40; write it as %25`)
  }
}
