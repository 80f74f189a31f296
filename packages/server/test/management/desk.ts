/** A whole server on a database of its own, with tokens, keys and a log at debug level; and ways to manage connections. */
import type { Problem } from '@mqtt-status/protocol'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { pino } from 'pino'
import { expect } from 'vitest'
import { mintToken } from '../../src/auth/tokens.ts'
import type { TokenRequest } from '../../src/auth/tokens.ts'
import { createProgram } from '../../src/cli/program.ts'
import { readConfig } from '../../src/config/config.ts'
import { Resolver } from '../../src/dns/resolver.ts'
import { createServer } from '../../src/server.ts'
import type { StatusServer } from '../../src/server.ts'

const AUTH = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
} as const
export const KEYS: string = `k1:${Buffer.alloc(32, 1).toString('base64')}`

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Record<string, unknown>
}

export class Desk {
  readonly database: TestDatabase
  readonly environment: Readonly<Record<string, string>>
  /** What the operator reads, line by line. */
  readonly log: string[] = []
  /** Everything that was answered over HTTP. */
  readonly answers: string[] = []
  readonly #server: StatusServer
  url = ''
  #token = ''

  private constructor(
    database: TestDatabase,
    environment: Readonly<Record<string, string>>,
    resolver: Resolver,
  ) {
    this.database = database
    this.environment = {
      PORT: '0',
      DATABASE_URL: database.url,
      AUTH_JWT_SECRET: AUTH.secret,
      SUPERVISOR: 'off',
      FEED_POLL_MS: '100',
      DRAIN_MS: '3000',
      MQTT_ALLOW_CIDRS: '127.0.0.0/8',
      MQTT_ALLOW_PORTS: '1-65535',
      MQTT_SECRET_KEYS: KEYS,
      LOG_LEVEL: 'debug',
      ...environment,
    }
    const log = pino({ level: 'debug' }, { write: (line: string) => this.log.push(line) })
    this.#server = createServer(readConfig(this.environment).config, log, {
      widgetBundle: new URL('desk.ts', import.meta.url),
      resolver,
    })
  }

  /** @param resolver @default as this machine looks up names */
  static async open(
    environment: Readonly<Record<string, string>> = {},
    resolver: Resolver = new Resolver(),
  ): Promise<Desk> {
    const desk = new Desk(await createDatabase(), environment, resolver)
    desk.#token = await desk.token({})
    desk.url = (await desk.#server.start()).url
    return desk
  }

  /** By default one that may do everything. */
  token(change: Partial<TokenRequest>): Promise<string> {
    return mintToken(AUTH, {
      subject: 'admin',
      sites: '*',
      connections: [],
      can: ['view', 'control', 'manage'],
      lifetimeS: 600,
      ...change,
    })
  }

  /** Calls the API; a body that is a text is sent as it is. */
  async call(
    request: `${'GET' | 'POST' | 'PATCH' | 'DELETE'} ${string}`,
    body?: unknown,
    token: string = this.#token,
  ): Promise<Answer> {
    const [method = '', path = ''] = request.split(' ')
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const { status, headers } = response
    const text = await response.text()
    this.answers.push(`${[...headers].join('\n')}\n\n${text}`)
    return {
      status,
      headers,
      text,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    }
  }

  /** Runs a command of the command line as the process would. */
  async run(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly lines: string[]; readonly error: string | null }> {
    const lines: string[] = []
    const program = createProgram({
      environment: { ...this.environment, ...environment },
      version: '0.0.0',
      terminal: false,
      progress: (line) => lines.push(line),
      print: (line) => lines.push(line),
      signal: () => new AbortController().signal,
    })
    const error = await program.parseAsync(['node', 'mqtt-status', ...args]).then(
      () => null,
      (failure: unknown) => (failure instanceof Error ? failure.message : String(failure)),
    )
    return { lines, error }
  }

  /** What comes of starting another server on the same database. */
  async startAnother(environment: Readonly<Record<string, string>>): Promise<string> {
    const { config } = readConfig({ ...this.environment, ...environment })
    const server = createServer(config, pino({ level: 'silent' }), {
      widgetBundle: new URL('desk.ts', import.meta.url),
    })
    try {
      await server.start()
      return 'has started'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      await server.stop()
    }
  }

  async close(): Promise<void> {
    await this.#server.stop()
    await this.database.drop()
  }
}

/** The refusal as `status code`, and its field errors as `field code`. */
export function refusal({ status, headers, body }: Answer): { code: string; fields: string[] } {
  expect(headers.get('content-type')).toBe('application/problem+json')
  const problem = body as unknown as Problem
  expect(problem.status).toBe(status)
  for (const { message } of problem.errors ?? []) expect(message).not.toBe('')
  return {
    code: `${status} ${problem.code}`,
    fields: (problem.errors ?? []).map(({ field, code }) => `${field} ${code}`).toSorted(),
  }
}

export const PLANT = {
  id: 'plant-7',
  siteId: 's1',
  name: 'Impianto 7',
  protocol: 'mqtt',
  host: '127.0.0.1',
  port: 1883,
} as const
