/** From the environment and flags to one checked object. */
import { SetupError } from '../errors.ts'
import type { LogFormat, LogLevel } from '../log.ts'
import { databaseWarnings, toDatabase } from './database.ts'
import type { DatabaseConfig } from './database.ts'
import { blank, read } from './environment.ts'
import type { Environment } from './environment.ts'
import { misspelt } from './misspelt.ts'
import { TABLE, UNSUPPORTED } from './settings.ts'
import type { Unsupported, SettingValues } from './settings.ts'

/** Whether callers need a token, and which tokens the server accepts; `open` is allowed on loopback only. */
export type AuthConfig =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'secret'
      readonly secret: string
      readonly issuer?: string
      readonly audience?: string
      /** The server refuses a token that is valid for longer. */
      readonly maxTtlS: number
    }

export type SecretsConfig = SettingValues['secrets'] & {
  /** The value of `env:MQTT_SECRET_…`; a function, so that no log shows it. */
  readonly variable: (name: string) => string | undefined
}

export interface LogConfig {
  readonly level: LogLevel
  readonly format: LogFormat
}

/** The values of the table; in four groups what the rows say together. */
export interface Config extends Omit<SettingValues, 'database' | 'auth' | 'secrets' | 'log'> {
  readonly database: DatabaseConfig
  readonly auth: AuthConfig
  readonly secrets: SecretsConfig
  readonly log: LogConfig
}

/**
 * Reads the whole configuration at once.
 *
 * @param flags values given on the command line, by variable name; they win over the environment
 * @param terminal whether a person reads the log
 * @throws SetupError that lists every fault: the variable, what was found, what is expected
 */
export function readConfig(
  environment: Environment,
  flags: Environment = {},
  terminal = false,
): { config: Config; warnings: readonly string[] } {
  const unsupported = UNSUPPORTED.filter(({ variable }) => blank(environment[variable]))
  const faults = unsupported.filter(({ kind }) => kind === 'refused').map(toFault)
  const values = read(TABLE, { environment, flags, faults })
  const config: Config = {
    ...values,
    database: toDatabase(values.database),
    auth: toAuth(values.auth),
    secrets: toSecrets(values.secrets, environment),
    log: toLog(values.log, terminal),
  }
  refuseOpenAccessFromOutside(config)
  const warnings = [
    ...unsupported
      .filter(({ kind }) => kind === 'ignored')
      .map(({ variable, why }) => `${variable} ${why}`),
    ...databaseWarnings(config.database),
    ...misspelt(environment),
  ]
  return { config, warnings }
}

/**
 * Reads what tokens are signed with, and no other setting.
 *
 * @throws SetupError like {@link readConfig}
 */
export function readAuth(environment: Environment): AuthConfig {
  return toAuth(read(TABLE.auth, { environment }))
}

/** The settings of a command that works on the database without a server. */
export type StorageConfig = Pick<Config, 'database' | 'secrets' | 'log'> &
  Pick<Config['supervisor'], 'allow'>

/** @throws SetupError like {@link readConfig} */
export function readStorage(
  environment: Environment,
  flags: Environment = {},
  terminal = false,
): StorageConfig {
  const { database, secrets, log, supervisor } = TABLE
  const group = { database, secrets, log, allow: supervisor.allow }
  const values = read(group, { environment, flags })
  return {
    database: toDatabase(values.database),
    secrets: toSecrets(values.secrets, environment),
    log: toLog(values.log, terminal),
    allow: values.allow,
  }
}

function toFault({ variable, why }: Unsupported): string {
  return `${variable}: ${why}`
}

function toSecrets(values: SettingValues['secrets'], environment: Environment): SecretsConfig {
  return {
    ...values,
    variable: (name) => (name.startsWith('MQTT_SECRET_') ? environment[name] : undefined),
  }
}

function toLog({ level, format }: SettingValues['log'], terminal: boolean): LogConfig {
  return { level, format: format ?? (terminal ? 'pretty' : 'json') }
}

function toAuth({ secret, issuer, audience, maxTtlS }: SettingValues['auth']): AuthConfig {
  if (secret === undefined) {
    // Without a secret the server checks no token, so these settings would protect nothing.
    if (issuer ?? audience) {
      throw new SetupError(
        'AUTH_ISSUER and AUTH_AUDIENCE need AUTH_JWT_SECRET: set it, or unset them.',
      )
    }
    return { kind: 'open' }
  }
  return {
    kind: 'secret',
    secret,
    maxTtlS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
}

/** Without tokens every program that reaches the port controls all connections, so only this machine may reach it. */
function refuseOpenAccessFromOutside({ auth, host }: Config): void {
  if (auth.kind !== 'open' || isLoopback(host)) return
  throw new SetupError(
    `HOST: found "${host}", but no authentication is configured, and open access is only allowed on loopback.\n` +
      '  Set AUTH_JWT_SECRET (a shared secret for HS256 tokens, 32 bytes or more) to listen there,\n' +
      '  or HOST=127.0.0.1 to be reached from this machine only.',
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
