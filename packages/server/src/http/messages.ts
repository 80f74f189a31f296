/** What comes in at the doors, checked before anything is done with it. */
import type { ClientMessage, WatchFilter } from '@mqtt-status/protocol'
import * as v from 'valibot'
import { StatusError } from '../errors.ts'

const id = v.pipe(v.string(), v.maxLength(128))
/** A name counts once, however often a client repeats it. */
const ids = v.optional(
  v.pipe(
    v.array(id),
    v.transform((names) => [...new Set(names)]),
  ),
)
const count = v.pipe(v.number(), v.safeInteger())
/** A token of a portal with many sites is long, but not endless. */
const token = v.pipe(v.string(), v.maxLength(16_384))
/** Any text: what is no cursor is answered with a snapshot. */
const cursor = v.string()

const filter = {
  connections: ids,
  sites: ids,
  all: v.optional(v.boolean()),
  summary: ids,
}

const schemas = {
  hello: v.object({
    type: v.literal('hello'),
    token: v.optional(token),
    client: v.optional(v.object({ name: id, version: id })),
  }),
  watch: v.object({
    type: v.literal('watch'),
    id: v.optional(count),
    cursor: v.optional(cursor),
    ...filter,
  }),
  unwatch: v.object({ type: v.literal('unwatch'), ...filter }),
  auth: v.object({ type: v.literal('auth'), token }),
  ping: v.object({ type: v.literal('ping') }),
  pong: v.object({ type: v.literal('pong') }),
}

/**
 * A message of a client; `null` for a type that this version does not know, which is ignored.
 *
 * @throws StatusError `bad_request` for malformed JSON and for a known type with bad fields
 */
export function parseMessage(text: string): ClientMessage | null {
  const message = parseJson(text)
  const type = v.safeParse(v.object({ type: v.string() }), message)
  if (!type.success)
    throw new StatusError('bad_request', 'A message is a JSON object with a "type".')
  if (!Object.hasOwn(schemas, type.output.type)) return null
  const schema: unknown = schemas[type.output.type as keyof typeof schemas]
  return checked(schema as v.GenericSchema<unknown, ClientMessage>, message, 'bad_request')
}

const watchBody = v.object({ ...filter, cursor: v.optional(cursor) })

export type WatchBody = WatchFilter & { readonly cursor?: string }

/** The body of a stream: a watch without its type. */
export function parseWatchBody(text: string): WatchBody {
  return checked(watchBody, parseObject(text), 'validation') as WatchBody
}

/** @throws StatusError `limit_watch` where more is named than one watch may name */
export function limited(watch: WatchBody, limit: number): WatchBody {
  const { connections = [], sites = [], summary = [] } = watch
  const named = connections.length + sites.length + summary.length
  if (named <= limit) return watch
  throw new StatusError(
    'limit_watch',
    `${named} ids and sites are named, ${limit} are allowed: ask in parts, or for all.`,
  )
}

const queryBody = v.object({
  ...watchBody.entries,
  after: v.optional(id),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
})

export type QueryBody = WatchBody & { readonly after?: string; readonly limit?: number }

/** The body of a query: the same, and which page of it. */
export function parseQueryBody(text: string): QueryBody {
  return checked(queryBody, parseObject(text), 'validation') as QueryBody
}

/** The same from the query string: lists are separated by commas. */
export function parseWatchQuery(query: Readonly<Record<string, string>>): WatchBody {
  const list = (name: string): string[] | undefined =>
    query[name]
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  const all = query['all']
  if (all !== undefined && !['1', 'true', '0', 'false'].includes(all)) {
    throw new StatusError('bad_request', `all: found "${all}", expected 1 or 0.`)
  }
  const named = {
    connections: list('connections'),
    sites: list('sites'),
    summary: list('summary'),
    all: all === undefined ? undefined : ['1', 'true'].includes(all),
    cursor: query['cursor'],
  }
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  return checked(watchBody, given, 'bad_request') as WatchBody
}

/** @throws StatusError `bad_request`, without its cause: that one quotes what was sent, and a token may be in it */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new StatusError('bad_request', 'The body is not JSON.')
  }
}

/** To the schemas a list is an object too, one that names nothing. */
function parseObject(text: string): unknown {
  const body = parseJson(text)
  if (Array.isArray(body)) throw new StatusError('bad_request', 'The body is not a JSON object.')
  return body
}

function checked<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  code: 'bad_request' | 'validation',
): T {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const fields = parsed.issues.map((issue) => ({
    field: v.getDotPath(issue) ?? '',
    code: issue.type,
    message: issue.message,
  }))
  const all = fields
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    .join('; ')
  throw new StatusError(code, all, { fields })
}
