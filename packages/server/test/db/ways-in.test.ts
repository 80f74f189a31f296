/** Every way in which a row can be written, in every replication role: each change is stamped, shown and notified. */
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChangeFeed } from '../../src/db/feed/change-feed.ts'
import type { FeedRead } from '../../src/db/feed/change-feed.ts'
import { direct } from '../../src/db/postgres/lane.ts'
import { connectSql, DEFAULT_SCHEMA, inSchema } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'
import { describeFaults, findTriggerFaults, mendTriggers } from '../../src/db/schema/triggers.ts'
import { createLog } from '../../src/log.ts'

type Writer = postgres.TransactionSql

const log = createLog({ level: 'silent', format: 'json' })

let database: TestDatabase
let sql: Sql
let feed: ChangeFeed
let reads: FeedRead[]

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name)
    values ('a', 's1', 'A'), ('b', 's1', 'B'), ('c', 's2', 'C')`
  sql = inSchema(connectSql(database.url, { max: 2, applicationName: 'ways' }), DEFAULT_SCHEMA)
  reads = []
  feed = new ChangeFeed({
    lane: direct(sql),
    upkeep: direct(sql),
    listenAddress: database.url,
    // Only a notification makes it read.
    pollMs: 600_000,
    log,
    onRead: (read) => reads.push(read),
    onState: () => undefined,
  })
  await feed.start()
  await until(() => feed.listening, { what: 'the feed to listen' })
  await feed.read()
})

afterEach(async () => {
  await feed.stop()
  await sql.end({ timeout: 1 })
  await database.drop()
})

function delivered(): string[] {
  return reads.flatMap(({ kind, rows, tombstones }) =>
    kind === 'snapshot'
      ? []
      : [
          ...rows.map(({ connection: { id, siteId, name } }) => `${id}@${siteId} ${name}`),
          ...tombstones.map(({ id, siteId }) => `-${id}@${siteId}`),
        ],
  )
}

interface Way {
  readonly name: string
  readonly write: (tx: Writer) => Promise<unknown>
  readonly shows: readonly string[]
  /** The first major version that has it. */
  readonly since?: number
}

const WAYS: readonly Way[] = [
  {
    name: 'insert',
    write: (tx) => tx`insert into connections (id, site_id, name) values ('d', 's3', 'D')`,
    shows: ['d@s3 D'],
  },
  {
    name: 'insert … select',
    write: (tx) => tx`
      insert into connections (id, site_id, name)
      select 'x' || i, 's3', 'X' from generate_series(1, 2) i`,
    shows: ['x1@s3 X', 'x2@s3 X'],
  },
  {
    name: 'update',
    write: (tx) => tx`update connections set name = 'new' where id = 'a'`,
    shows: ['a@s1 new'],
  },
  {
    name: 'upsert',
    write: (tx) => tx`
      insert into connections (id, site_id, name) values ('a', 's1', 'new'), ('d', 's3', 'D')
      on conflict (id) do update set name = excluded.name`,
    shows: ['a@s1 new', 'd@s3 D'],
  },
  {
    name: 'merge',
    since: 15,
    write: (tx) =>
      tx.unsafe(`
        merge into connections c
        using (values ('a', 's1', 'new'), ('b', 's1', null), ('d', 's3', 'D')) as w (id, site_id, name)
        on c.id = w.id
        when matched and w.name is null then delete
        when matched then update set name = w.name
        when not matched then insert (id, site_id, name) values (w.id, w.site_id, w.name)`),
    shows: ['-b@s1', 'a@s1 new', 'd@s3 D'],
  },
  {
    name: 'copy',
    write: async (tx) => {
      const copy = await tx`copy connections (id, site_id, name) from stdin`.writable()
      await pipeline(Readable.from(['d\ts3\tD\n', 'e\ts3\tE\n']), copy)
    },
    shows: ['d@s3 D', 'e@s3 E'],
  },
  {
    name: 'delete',
    write: (tx) => tx`delete from connections where site_id = 's1'`,
    shows: ['-a@s1', '-b@s1'],
  },
  {
    name: 'another site',
    write: (tx) => tx`update connections set site_id = 's9' where id = 'a'`,
    shows: ['-a@s1', 'a@s9 A'],
  },
  {
    name: 'another id',
    write: (tx) => tx`update connections set id = 'z' where id = 'a'`,
    shows: ['-a@s1', 'z@s1 A'],
  },
  {
    name: 'delete and insert in one transaction',
    write: async (tx) => {
      await tx`delete from connections where id = 'a'`
      await tx`insert into connections (id, site_id, name) values ('a', 's9', 'back')`
    },
    shows: ['-a@s1', 'a@s9 back'],
  },
  {
    name: 'through a view',
    write: async (tx) => {
      await tx`create view plant as select id, name from connections`
      await tx`update plant set name = 'new' where id = 'a'`
    },
    shows: ['a@s1 new'],
  },
  {
    name: 'through a parent of which the table is a partition',
    write: async (tx) => {
      await tx`create table fleet (like connections) partition by list (site_id)`
      await tx`alter table fleet attach partition connections default`
      await tx`update fleet set name = 'new' where id = 'a'`
      await tx`delete from fleet where id = 'b'`
      await tx`
        insert into fleet
        select (json_populate_record(f, '{"id": "d", "site_id": "s3", "name": "D"}')).*
        from fleet f
        where id = 'c'`
    },
    shows: ['-b@s1', 'a@s1 new', 'd@s3 D'],
  },
  {
    name: 'after a savepoint that was rolled back',
    write: async (tx) => {
      await tx
        .savepoint(async (inner) => {
          await inner`update connections set name = 'lost' where id = 'a'`
          throw new Error('rolled back')
        })
        .catch(() => undefined)
      await tx.savepoint((inner) => inner`update connections set name = 'new' where id = 'b'`)
    },
    shows: ['b@s1 new'],
  },
]

describe.each(['origin', 'local', 'replica'])('in the replication role %s', (role) => {
  test.each(WAYS)('$name is shown at once', async ({ write, shows, since = 0 }) => {
    const [version] = await database.sql`
      select current_setting('server_version_num')::int / 10000 as major`
    if (Number(version?.['major']) < since) return
    const before = feed.metrics.notifications
    await database.sql.begin(async (tx) => {
      await tx.unsafe(`set local session_replication_role = ${role}`)
      await write(tx)
    })
    await until(() => delivered().length >= shows.length, { what: shows.join(', ') })
    expect(delivered().toSorted()).toEqual([...shows].toSorted())
    expect(feed.metrics.notifications, 'one notification for a transaction').toBe(before + 1)
  })

  test('truncate is refused', async () => {
    const truncate = database.sql.begin(async (tx) => {
      await tx.unsafe(`set local session_replication_role = ${role}`)
      await tx`truncate connections cascade`
    })
    await expect(truncate).rejects.toThrow('can not be truncated')
  })
})

const MOST = '9223372036854775807'

describe.each(['origin', 'replica'])('stamps of another database, in the role %s', (role) => {
  test.each([
    ['0', '0'],
    ['1', '3'],
    ['-1', '1'],
    [MOST, '18446744073709551615'],
  ])('revision %s in transaction %s is stamped anew', async (revision, changed) => {
    const [before] = await database.sql<{ last: string }[]>`
      select nextval('connection_revisions') as last`
    await database.sql.begin(async (tx) => {
      await tx.unsafe(`set local session_replication_role = ${role}`)
      await tx`
        update connections
        set name = 'new', revision = ${revision}::bigint, changed = ${changed}::text::xid8
        where id = 'a'`
      // Nothing that is shown has changed, as where a publisher only changes an owner.
      await tx`
        update connections
        set mqtt_reason_code = 4, revision = ${revision}::bigint, changed = ${changed}::text::xid8
        where id = 'b'`
      await tx`
        insert into connections (id, site_id, name, revision, changed)
        values ('d', 's3', 'D', ${revision}::bigint, ${changed}::text::xid8)`
    })
    await until(() => delivered().length >= 3)
    expect(delivered().toSorted()).toEqual(['a@s1 new', 'b@s1 B', 'd@s3 D'])
    const rows = await database.sql`
      select revision, changed < pg_snapshot_xmax(pg_current_snapshot()) as past
      from connections
      where id <> 'c'`
    for (const row of rows) {
      expect(Number(row['revision'])).toBeGreaterThan(Number(before?.last))
      expect(Number(row['revision'])).toBeLessThan(2 ** 40)
      expect(row['past']).toBe(true)
    }
    await database.sql`update connections set name = 'later' where id = 'a'`
    await until(() => delivered().includes('a@s1 later'))
  })
})

test('a row that a replica deletes takes its events and its secrets along, and one that it renames keeps them', async () => {
  await database.sql`
    insert into connection_secrets (connection_id, field, reference)
    select id, 'password', 'env:MQTT_SECRET_A' from connections`
  await database.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`delete from connections where id = 'a'`
    await tx`update connections set id = 'z' where id = 'b'`
  })
  const owners = await database.sql`
    select connection_id as id from connection_secrets
    union
    select connection_id from connection_events
    order by 1`
  expect(owners.map(({ id }) => String(id))).toEqual(['c', 'z'])
})

describe('owner and fence', () => {
  const LIVE = `insert into supervisors (id, lease_expires_at) values ('me', now() + interval '1 hour')`

  async function fence(): Promise<string> {
    const [row] = await database.sql`select owner_id, epoch from connections where id = 'a'`
    return `${String(row?.['owner_id'])} ${String(row?.['epoch'])}`
  }

  beforeEach(async () => {
    await database.sql.unsafe(LIVE)
    await database.sql`update connections set owner_id = 'me', epoch = 1 where id = 'a'`
    expect(await fence()).toBe('me 1')
  })

  test.each([
    // A living owner stays, whatever another program writes.
    [`owner_id = 'you'`, 'me 1'],
    [`owner_id = 'you', epoch = 7`, 'me 1'],
    // It may be taken away, with or without the fence.
    [`owner_id = null`, 'null 1'],
    [`owner_id = null, epoch = epoch + 1`, 'null 2'],
    // The fence never falls, and rises by one.
    [`epoch = 0`, 'me 2'],
    [`epoch = -1`, 'me 2'],
    [`epoch = ${MOST}`, 'me 2'],
    [`epoch = epoch, name = 'new'`, 'me 1'],
    [`managed = false`, 'null 2'],
    [`managed = false, owner_id = 'you'`, 'null 2'],
  ])('set %s leaves %s', async (change, expected) => {
    await database.sql.unsafe(`update connections set ${change} where id = 'a'`)
    expect(await fence()).toBe(expected)
  })

  test.each([`owner_id = 'you'`, `owner_id = null`, `epoch = 0`, `epoch = ${MOST}`])(
    'set %s by a replica changes nothing: it is of another database',
    async (change) => {
      await database.sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`
        await tx.unsafe(`update connections set ${change} where id = 'a'`)
      })
      expect(await fence()).toBe('me 1')
    },
  )

  test('a row whose owner is gone gets a new one, with a higher fence', async () => {
    await database.sql`update supervisors set lease_expires_at = now()`
    await database.sql`update connections set owner_id = 'you', epoch = 0 where id = 'a'`
    expect(await fence()).toBe('you 2')
  })

  test('a row that is inserted again has another fence than all its former owners', async () => {
    await database.sql`delete from connections where id = 'a'`
    await database.sql`
      insert into connections (id, site_id, name, owner_id, epoch) values ('a', 's1', 'A', 'me', 1)`
    expect(Number((await fence()).split(' ')[1])).toBeGreaterThan(3)
  })

  test.each(['-1', MOST])(
    'a new row with the impossible fence %s can be claimed',
    async (epoch) => {
      await database.sql`
      insert into connections (id, site_id, name, epoch) values ('d', 's1', 'D', ${epoch}::bigint)`
      await database.sql`update connections set owner_id = 'me' where id = 'd'`
      expect([...(await database.sql`select epoch from connections where id = 'd'`)]).toEqual([
        { epoch: '1' },
      ])
    },
  )
})

describe('triggers that do not fire', () => {
  const faults = async (): Promise<readonly string[]> =>
    describeFaults(await findTriggerFaults(sql))

  test('a migrated database has exactly the triggers that are looked for', async () => {
    expect(await faults()).toEqual([])
    const triggers = await database.sql<{ table: string; name: string }[]>`
      select tgrelid::regclass::text as table, tgname as name
      from pg_trigger
      where not tgisinternal`
    for (const { table, name } of triggers) {
      await database.sql`drop trigger ${database.sql(name)} on ${database.sql(table)}`
      expect((await faults()).join()).toContain(name)
    }
  })

  test.each([
    'disable trigger connections_poke_update',
    'disable trigger user',
    'enable trigger connections_poke_update',
    'enable replica trigger connections_poke_update',
    // What pg_restore --data-only --disable-triggers does.
    'disable trigger all; alter table connections enable trigger all',
  ])('alter table … %s is found and mended', async (change) => {
    await database.sql.unsafe(`alter table connections ${change}`)
    expect((await faults()).join()).toContain('connections_poke_update')
    await mendTriggers(sql, log)
    expect(await faults()).toEqual([])
  })

  test('what was written while they were disabled is shown once they are mended', async () => {
    await database.sql`alter table connections disable trigger user`
    await database.sql`update connections set name = 'unseen' where id = 'a'`
    await database.sql`delete from connections where id = 'b'`
    await database.sql`
      insert into connections (id, site_id, name, revision, changed) values ('d', 's3', 'D', 1, '3')`
    await feed.read()
    await mendTriggers(sql, log)
    await until(() => reads.at(-1)?.kind === 'snapshot', { what: 'a snapshot' })
    expect(
      reads
        .at(-1)
        ?.rows.map(({ connection: { id, name } }) => `${id} ${name}`)
        .toSorted(),
    ).toEqual(['a unseen', 'c C', 'd D'])
    const known = new Map(reads[0]?.rows.map(({ connection: c }) => [c.id, c.revision]))
    for (const { connection } of reads.at(-1)?.rows ?? [])
      expect(connection.revision).toBeGreaterThan(known.get(connection.id) ?? 0)
  })

  test('foreign keys that a superuser has disabled are found', async () => {
    await database.sql`alter table connections disable trigger all`
    await mendTriggers(sql, log)
    expect(await faults()).toEqual(['the triggers of foreign keys are disabled'])
  })

  test('a table that inherits from connections is found: its rows have no triggers', async () => {
    await database.sql`create table spare () inherits (connections)`
    expect(await faults()).toEqual(['tables inherit from connections: mqtt_status.spare'])
  })
})
