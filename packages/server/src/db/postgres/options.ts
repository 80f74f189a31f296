/** From an address to the options of postgres.js: all of them explicit, so that nothing of an address passes through unread. */
import type postgres from 'postgres'
import type { PostgresAddress, Target } from '../../config/connection-string/address.ts'
import type { Tls } from '../../config/connection-string/tls.ts'

type Options = postgres.Options<{ bigint: postgres.PostgresType<number> }>

const CONNECT_TIMEOUT_S = 10
const KEEP_ALIVE_S = 60

/** Where to connect to, and as whom. */
export function toOptions(address: PostgresAddress): Options {
  const { user, password, database, tls, session } = address
  return {
    ...toPlace(address.target),
    ...(user === null ? {} : { user }),
    ...(password === null ? {} : { password }),
    ...(database === null ? {} : { database }),
    ...(session === null ? {} : { target_session_attrs: session as Session }),
    ...toSsl(tls),
    connect_timeout: address.connectTimeoutS ?? CONNECT_TIMEOUT_S,
    keep_alive: address.keepAliveS ?? KEEP_ALIVE_S,
    prepare: address.prepare,
  }
}

/** How a session is named in `pg_stat_activity`: the address may name the product otherwise. */
export function sessionName({ applicationName }: PostgresAddress, name: string): string {
  return applicationName === null ? name : name.replace('mqtt-status', applicationName)
}

type Session = NonNullable<Options['target_session_attrs']>

function toPlace(target: Target): Options {
  switch (target.kind) {
    case 'environment':
      return {}
    case 'socket':
      return { path: target.path }
    case 'hosts':
      // Lists, which its types do not declare.
      return {
        host: target.hosts.map(({ host }) => host) as unknown as string,
        port: target.hosts.map(({ port }) => port) as unknown as number,
      }
  }
}

function toSsl(tls: Tls): Options {
  switch (tls.kind) {
    case 'off':
      return { ssl: false }
    case 'prefer':
      return { ssl: 'prefer' }
    case 'on':
      // Not declared by its types.
      return { ssl: tls.options(), ...(tls.direct ? { sslnegotiation: 'direct' } : {}) }
  }
}
