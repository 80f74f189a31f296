/** Compares the tables of parameters in docs/database.md with the code. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import { ConnectionStringFault } from './fault.ts'

const page = readFileSync(new URL('../../../../../docs/database.md', import.meta.url), 'utf8')
const [, section = ''] = /^## The connection string$(.*?)^## /ms.exec(page) ?? []
const [parameters = '', modes = ''] = section.split('| `sslmode` | TLS |')

interface Row {
  readonly name: string
  readonly says: string
}

/** One row for each name of the first column. */
const rows: readonly Row[] = [...parameters.matchAll(/^\| (`.+?) \| (.+) \|$/gm)].flatMap(
  ([, names = '', says = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({ name, says })),
)

/** For each used parameter a value that changes the address. */
const VALUES: Readonly<Record<string, string>> = {
  connect_timeout: '3',
  connectTimeout: '3',
  keepalives: '0',
  keepalives_idle: '9',
  target_session_attrs: 'primary',
  targetServerType: 'primary',
  sslmode: 'disable',
  ssl: 'false',
  requiressl: '1',
  sslaccept: 'strict',
  sslfactory: 'org.postgresql.ssl.NonValidatingFactory',
  sslrootcert: '/ca.pem',
  sslcert: '/c.pem&sslkey=/k.pem&sslmode=require',
  sslkey: '/k.pem&sslcert=/c.pem&sslmode=require',
  sslpassword: 'x&sslkey=/k.pem&sslcert=/c.pem&sslmode=require',
  sslcrl: '/crl.pem&sslmode=require',
  sslsni: '0&sslmode=require',
  ssl_min_protocol_version: 'TLSv1.2&sslmode=require',
  ssl_max_protocol_version: 'TLSv1.2&sslmode=require',
  sslnegotiation: 'direct&sslmode=require',
  port: '7',
  pgbouncer: 'true',
  statement_cache_size: '0',
  prepared_statement_cache_size: '0',
  prepareThreshold: '0',
  prepared_statements: 'false',
}

function parse(query: string): PostgresAddress {
  return parseAddress(`postgres://db/plants?${query}`, (path) => path)
}

/** All parts of an address that a parameter may change, with the results of functions. */
function effectOf(query: string): unknown {
  const { tls, password, ...rest } = parse(query)
  const options = tls.kind === 'on' ? Object.entries(tls.options()) : []
  return JSON.stringify([
    rest,
    password?.(),
    tls,
    options.map(([name, value]) => [name, String(value)]),
  ])
}

/** The query without the parameter of the row. */
function without(query: string): string {
  return query.split('&').slice(1).join('&')
}

test('the page has a table of parameters', () => {
  expect(rows.length).toBeGreaterThan(70)
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
})

describe('parameters', () => {
  test.each(rows.filter(({ says }) => says.startsWith('used')))('$name is used', ({ name }) => {
    const value = VALUES[name] ?? 'x'
    const query = name.includes('=') ? 'options=-c%20search_path%3Dx' : `${name}=${value}`
    expect(parse(query).notes).toEqual([])
    // The refusal of a certificate without its key is an effect, too.
    if (!/^ssl(cert|key)$/.test(name)) expect(effectOf(query)).not.toBe(effectOf(without(query)))
    else expect(() => parse(without(query))).toThrow(ConnectionStringFault)
  })

  test.each(rows.filter(({ says }) => says.startsWith('accepted without effect: ')))(
    '$name is accepted without effect',
    ({ name, says }) => {
      const why = says.slice('accepted without effect: '.length)
      expect(parse(`${name}=1`).notes).toEqual([`${name.toLowerCase()} has no effect: ${why}`])
    },
  )

  test.each(rows.filter(({ says }) => says.startsWith('refused: ')))(
    '$name is refused',
    ({ name, says }) => {
      const query = name.includes('=') ? name : `${name}=1`
      expect(() => parse(query)).toThrow(
        `${name.split('=')[0] ?? ''}: ${says.slice('refused: '.length)}`,
      )
    },
  )

  test('every row says one of the three', () => {
    for (const { says } of rows) expect(says).toMatch(/^(used|accepted without effect: |refused: )/)
  })
})

describe('sslmode', () => {
  const lines = [...modes.matchAll(/^\| (.+?) \| (.*?) \| ?(.*?) ?\|$/gm)]
  const listed = lines.flatMap(([, names = '', tls = '', certificate = '']) =>
    [...names.matchAll(/`([\w-]+)`/g)].map(([, mode = '']) => ({ mode, tls, certificate })),
  )

  const modesOfPage = listed.map(({ mode }) => mode).filter((mode) => mode !== 'sslmode')

  test('the page lists the modes that the refusal of another one lists', () => {
    expect(() => parse('sslmode=nonsense')).toThrow(
      /expected (disable, allow, prefer, require, no-verify, verify-ca, verify-full)$/,
    )
    expect(modesOfPage.toSorted()).toEqual([
      'allow',
      'disable',
      'no-verify',
      'prefer',
      'require',
      'verify-ca',
      'verify-full',
    ])
  })

  test.each(listed.filter(({ mode }) => mode !== 'sslmode'))(
    '$mode: TLS $tls',
    ({ mode, tls, certificate }) => {
      const found = parse(`sslmode=${mode}`).tls
      const kinds: Record<string, string> = { never: 'off', always: 'on' }
      expect(found.kind).toBe(kinds[tls] ?? 'prefer')
      const options = found.kind === 'on' ? found.options() : {}
      expect(options.rejectUnauthorized === true).toBe(certificate.startsWith('checked'))
      const foreign = { subject: { CN: 'x' }, subjectaltname: 'DNS:other.example.com' } as never
      const fault = options.checkServerIdentity?.('db', foreign)
      expect(fault instanceof Error).toBe(certificate.endsWith('with its host name'))
    },
  )
})
