/**
 * An installation is one set of our tables, in a schema of its own; a database may hold several. Which one a server
 * uses: the schema of DATABASE_SCHEMA; without it the installation that is there already, wherever it is; and in a
 * database that has none, the schema "mqtt_status".
 */
import { createHash } from 'node:crypto'
import { DEFAULT_SCHEMA, quoted } from '../postgres/sql.ts'
import type { Pool, Sql } from '../postgres/sql.ts'

/** Where an installation notifies. */
export interface Channels {
  /** An empty notification after each transaction that changed a watched column. */
  readonly changes: string
  /** Notifications from one node to all nodes; see ownership/calls.ts. */
  readonly calls: string
}

/** Which schema is used, and what is around it. */
export interface Place {
  readonly schema: string
  /** Whether our tables are there; if not, they are still to be made. */
  readonly exists: boolean
  /** The other installations in the same database. */
  readonly others: readonly Installation[]
}

export interface Installation {
  /** Its schema. */
  readonly name: string
  /** Whether this role may read it; the others are of other roles. */
  readonly readable: boolean
}

/** The channels of the default schema are a contract: people and other systems listen on them. */
const DEFAULT_CHANNELS: Channels = { changes: 'mqtt_status', calls: 'mqtt_status_calls' }
/** Names of channels have at most 63 bytes; the longer prefix is "mqtt_status_calls.". */
const LONGEST_SUFFIX = 40

/** Columns by which tables of this product are recognized. */
const SHAPE = [
  ...['name', 'checksum', 'applied_at'].map((column) => ['migrations', column]),
  ...['revision', 'changed', 'observed_generation'].map((column) => ['connections', column]),
  ...['epoch', 'table_oid', 'tombstone_floor'].map((column) => ['meta', column]),
].map(([table, column]) => `${table}.${column}`)

/**
 * Finds the schema to use; changes nothing.
 *
 * @param wanted what DATABASE_SCHEMA says; `null` = nothing
 */
export async function findPlace(pool: Pool, wanted: string | null): Promise<Place> {
  const found = await findInstallations(pool)
  const schema = wanted ?? (await choose(pool, found)) ?? DEFAULT_SCHEMA
  return {
    schema,
    exists: found.some(({ name }) => name === schema),
    others: found.filter(({ name }) => name !== schema),
  }
}

/** The channels of an installation that is still to be made: those of its schema, unless another one has them. */
export async function freeChannels(pool: Pool, { schema, others }: Place): Promise<Channels> {
  if (schema === DEFAULT_SCHEMA) {
    const taken = await Promise.all(others.map((other) => changesOf(pool, other)))
    if (!taken.includes(DEFAULT_CHANNELS.changes)) return DEFAULT_CHANNELS
  }
  const suffix =
    Buffer.byteLength(schema) <= LONGEST_SUFFIX
      ? schema
      : createHash('sha256').update(schema).digest('hex').slice(0, LONGEST_SUFFIX)
  return {
    changes: `${DEFAULT_CHANNELS.changes}.${suffix}`,
    calls: `${DEFAULT_CHANNELS.calls}.${suffix}`,
  }
}

/** Where this installation notifies. */
export async function readChannels(sql: Sql): Promise<Channels> {
  const [found] = await sql<Channels[]>`
    select channel as changes, calls_channel as calls
    from ${sql.schema}.meta`
  if (found === undefined) throw new Error('The table "meta" is empty; was it emptied by hand?')
  return found
}

function findInstallations(pool: Pool): Promise<readonly Installation[]> {
  return pool<Installation[]>`
    select n.nspname as name,
      has_schema_privilege(n.oid, 'usage') and bool_and(has_table_privilege(c.oid, 'select')) as readable
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped
    where c.relkind = 'r'
      and c.relname in ('migrations', 'connections', 'meta')
      and c.relname || '.' || a.attname in (select jsonb_array_elements_text(${pool.json(SHAPE)}))
    group by n.oid, n.nspname
    having count(*) = ${SHAPE.length}
    order by n.nspname`
}

/**
 * Of several installations the oldest: later ones were made because DATABASE_SCHEMA asked for them, so a server without
 * it means the first. Former versions used the schema that the role's `search_path` leads to: what they have made there
 * comes before everything else.
 */
async function choose(pool: Pool, found: readonly Installation[]): Promise<string | null> {
  const readable = found.filter((installation) => installation.readable)
  const candidates = readable.length === 0 ? found : readable
  if (candidates.length <= 1) return candidates[0]?.name ?? null
  const dated = await Promise.all(candidates.map(({ name }) => dateOf(pool, name)))
  dated.sort((a, b) => Number(b.formerly) - Number(a.formerly) || a.since - b.since)
  return dated[0]?.name ?? null
}

/** When it was made, and whether a former version has made it where the `search_path` leads to. */
async function dateOf(
  pool: Pool,
  name: string,
): Promise<{ name: string; since: number; formerly: boolean }> {
  const [found] = await pool<{ since: number; formerly: boolean }[]>`
    select extract(epoch from min(applied_at))::float8 as since,
      current_schema() = ${name}
        and min(applied_at) filter (where name like '0013%') is distinct from min(applied_at) as formerly
    from ${pool.unsafe(quoted(name))}.migrations`
  return { name, since: found?.since ?? 0, formerly: found?.formerly === true }
}

/** An installation of a former version has no column for it, and the channel of the default schema. */
async function changesOf(pool: Pool, { name, readable }: Installation): Promise<string> {
  if (!readable) return DEFAULT_CHANNELS.changes
  const [found] = await pool<{ channel: string | null }[]>`
    select to_jsonb(m) ->> 'channel' as channel
    from ${pool.unsafe(quoted(name))}.meta m`
  return found?.channel ?? DEFAULT_CHANNELS.changes
}
