/** Parses the parameters of a connection string, in the spellings of libpq, JDBC, Prisma and other libraries. */
import { ConnectionStringFault } from './fault.ts'
import { refuse, unusedOptions, whyIgnored } from './unused-parameters.ts'

/** The settings of the parameters; `undefined` = not set. */
export interface Wishes {
  host?: string
  hostaddr?: string
  port?: string
  user?: string
  password?: string
  database?: string
  applicationName?: string
  connectTimeoutS?: number
  keepAliveS?: number
  session?: string
  schema?: string
  /** false: a pooler like PgBouncer loses prepared statements between transactions. */
  prepare?: boolean
  sslMode?: string
  /** As `sslmode`, but weaker than one that is given. */
  sslDefault?: string
  rootCert?: string
  cert?: string
  key?: string
  keyPassword?: string
  crl?: string
  sni?: boolean
  minVersion?: string
  maxVersion?: string
  directTls?: boolean
}

type Effect = (wishes: Wishes, value: string, name: string) => void

/** Sets one setting to the text of the parameter. */
function text(wish: keyof Wishes): Effect {
  return (wishes, value) => {
    Object.assign(wishes, { [wish]: value })
  }
}

const TRUE = /^(1|true|on|yes|t)$/i
const FALSE = /^(0|false|off|no|f)$/i

function whenFalse(effect: Effect): Effect {
  return (wishes, value, name) => {
    if (FALSE.test(value)) effect(wishes, value, name)
    else if (!TRUE.test(value)) throw expected(name, value, 'true or false')
  }
}

function whenTrue(effect: Effect): Effect {
  return (wishes, value, name) => {
    if (TRUE.test(value)) effect(wishes, value, name)
    else if (!FALSE.test(value)) throw expected(name, value, 'true or false')
  }
}

/** A number that has an effect on this server only if it is 0. */
function whenZero(effect: Effect): Effect {
  return (wishes, value, name) => {
    if (seconds(name, value) === 0) effect(wishes, value, name)
  }
}

const unprepared: Effect = (wishes) => {
  wishes.prepare = false
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  // libpq
  host: text('host'),
  hostaddr: text('hostaddr'),
  port: text('port'),
  user: text('user'),
  password: text('password'),
  dbname: text('database'),
  application_name: text('applicationName'),
  fallback_application_name: (wishes, value) => {
    wishes.applicationName ??= value
  },
  connect_timeout: (wishes, value, name) => {
    wishes.connectTimeoutS = seconds(name, value)
  },
  keepalives: whenFalse((wishes) => {
    wishes.keepAliveS = 0
  }),
  keepalives_idle: (wishes, value, name) => {
    wishes.keepAliveS ??= seconds(name, value)
  },
  options: (wishes, value) => {
    const path = /(?:^|[\s+])(?:-c[\s+]*|--)search_path=((?:\\.|[^\s\\])*)/.exec(value)?.[1]
    if (path !== undefined) readSearchPath(wishes, path.replaceAll(/\\(.)/g, '$1'))
  },
  target_session_attrs: (wishes, value, name) => {
    const known = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby']
    if (!known.includes(value)) throw expected(name, value, known.join(', '))
    if (value !== 'any') wishes.session = value
  },
  sslmode: text('sslMode'),
  sslrootcert: text('rootCert'),
  sslcert: text('cert'),
  sslkey: text('key'),
  sslpassword: text('keyPassword'),
  sslcrl: text('crl'),
  sslsni: whenFalse((wishes) => {
    wishes.sni = false
  }),
  ssl_min_protocol_version: text('minVersion'),
  ssl_max_protocol_version: text('maxVersion'),
  sslnegotiation: (wishes, value, name) => {
    if (value !== 'postgres' && value !== 'direct') throw expected(name, value, 'postgres, direct')
    wishes.directTls = value === 'direct'
  },
  requiressl: whenTrue((wishes) => {
    wishes.sslDefault = 'require'
  }),
  // JDBC, and what libraries for Node call the same
  ssl: (wishes, value) => {
    if (TRUE.test(value)) wishes.sslDefault ??= 'verify-full'
    else wishes.sslDefault = FALSE.test(value) ? 'disable' : value
  },
  sslfactory: (wishes, value) => {
    if (!value.endsWith('.NonValidatingFactory'))
      throw new ConnectionStringFault(
        'sslfactory is a class of Java; use sslmode and sslrootcert instead',
      )
    wishes.sslDefault = 'no-verify'
  },
  currentschema: readSearchPath,
  applicationname: text('applicationName'),
  connecttimeout: (wishes, value, name) => {
    wishes.connectTimeoutS = seconds(name, value)
  },
  preparethreshold: whenZero(unprepared),
  targetservertype: (wishes, value, name) => {
    const session = {
      any: 'any',
      master: 'primary',
      primary: 'primary',
      slave: 'standby',
      secondary: 'standby',
      preferslave: 'prefer-standby',
      prefersecondary: 'prefer-standby',
    }[value.toLowerCase()]
    if (session === undefined)
      throw expected(name, value, 'any, primary, secondary, preferSecondary')
    if (session !== 'any') wishes.session = session
  },
  // Prisma, asyncpg, Rails, pgx
  schema: readSearchPath,
  search_path: readSearchPath,
  schema_search_path: readSearchPath,
  sslaccept: (wishes, value, name) => {
    if (value !== 'strict' && value !== 'accept_invalid_certs')
      throw expected(name, value, 'strict, accept_invalid_certs')
    wishes.sslDefault = value === 'strict' ? 'verify-full' : 'no-verify'
    // "require" of Prisma leaves open whether the certificate is checked.
    if (value === 'strict' && wishes.sslMode === 'require') delete wishes.sslMode
  },
  pgbouncer: whenTrue(unprepared),
  statement_cache_size: whenZero(unprepared),
  prepared_statement_cache_size: whenZero(unprepared),
  prepared_statements: whenFalse(unprepared),
}

export interface Read {
  readonly wishes: Readonly<Wishes>
  /** Parameters without effect, by the reason for it. */
  readonly ignored: ReadonlyMap<string, readonly { readonly name: string }[]>
}

/** @throws ConnectionStringFault */
export function readParameters(parameters: ReadonlyMap<string, string>): Read {
  const wishes: Wishes = {}
  const unused: { name: string; why: string }[] = []
  for (const [name, value] of parameters) {
    const effect = EFFECTS[name]
    refuse({ name, value, isKnown: effect !== undefined })
    effect?.(wishes, value, name)
    if (effect === undefined) unused.push({ name, why: whyIgnored(name) })
    if (name === 'options') unused.push(...unusedOptions(value))
  }
  return { wishes, ignored: Map.groupBy(unused, ({ why }) => why) }
}

/** Sets the first schema of a search path, unless it is that of the role (`$user`). */
function readSearchPath(wishes: Wishes, path: string): void {
  const first =
    path
      .split(',')[0]
      ?.trim()
      .replace(/^"(.*)"$/, '$1') ?? ''
  if (first !== '' && first !== '$user') wishes.schema = first
}

function seconds(name: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw expected(name, value, 'a whole number')
  return Number(value)
}

function expected(name: string, value: string, what: string): ConnectionStringFault {
  return new ConnectionStringFault(`${name}: found "${value}", expected ${what}`)
}
