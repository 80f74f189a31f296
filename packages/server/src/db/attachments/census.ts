/** What occurs in a table that is about to be attached: its statuses, and values that can't be mirrored as they are. */
import { TABLE_ALIAS } from '../../model/attachment.ts'
import type { AttachmentOptions, SourceColumn } from '../../model/attachment.ts'
import { quoted } from '../postgres/sql.ts'
import type { Sql } from '../postgres/sql.ts'
import { NAME_LENGTH, relation, sourceRows } from './mirror-sql.ts'

export interface StatusCount {
  /** `null`: rows without a status. */
  readonly word: string | null
  readonly count: number
}

export interface Census {
  readonly rows: number
  /** The most frequent first. */
  readonly statuses: readonly StatusCount[]
  /** Distinct words that are not listed. */
  readonly moreStatuses: number
  readonly withoutSite: number
  readonly withoutName: number
  readonly longNames: number
  /** The id of one row, and how many ids are not the key as it is. */
  readonly example: { readonly key: string; readonly id: string } | null
  readonly encodedIds: number
  readonly encodedExample: { readonly key: string; readonly id: string } | null
  /** Ids that a connection of another origin has already. */
  readonly takenIds: readonly string[]
}

const LISTED = 30
const SHOWN = 5

/** Runs every clause of the options, so that a fault in one of them shows here. */
export async function takeCensus(sql: Sql, options: AttachmentOptions): Promise<Census> {
  const { key, prefix } = options
  const from = sql.unsafe(sourceRows(relation(options.table), options))
  const column = ({ alias, name }: SourceColumn): ReturnType<Sql['unsafe']> =>
    sql.unsafe(`${quoted(alias)}.${quoted(name)}::text`)
  const ownKey = column({ alias: TABLE_ALIAS, name: key })
  const statuses = await sql<StatusCount[]>`
    select ${column(options.status)} as word, count(*)::int as count
    ${from}
    group by 1
    order by 2 desc, 1`
  const [counts] = await sql<Omit<Census, 'statuses' | 'moreStatuses'>[]>`
    with mirrored as (
      select ${ownKey} as key,
        ${sql.schema}.attachment_shorten(${prefix}::text || ${sql.schema}.attachment_encode(${ownKey})) as id,
        ${column(options.site)} as site,
        ${column(options.name)} as name
      ${from}
    )
    select count(*)::int as rows,
      count(*) filter (where site is null)::int as "withoutSite",
      count(*) filter (where coalesce(btrim(name), '') = '')::int as "withoutName",
      count(*) filter (where length(name) > ${NAME_LENGTH}::int)::int as "longNames",
      count(*) filter (where id <> ${prefix}::text || key)::int as "encodedIds",
      (select json_build_object('key', key, 'id', id) from mirrored limit 1) as example,
      (select json_build_object('key', key, 'id', id) from mirrored where id <> ${prefix}::text || key limit 1) as "encodedExample",
      (
        select coalesce(json_agg(taken.id), '[]')
        from (
          select c.id
          from ${sql.schema}.connections c
          join mirrored m on m.id = c.id
          where c.attachment is distinct from (
            select a.id from ${sql.schema}.attachments a
            where a.name = ${`${options.table.schema}.${options.table.name}`}
          )
          order by c.id
          limit ${SHOWN}
        ) taken
      ) as "takenIds"
    from mirrored`
  if (counts === undefined) throw new Error('The rows of the table were not counted')
  return {
    ...counts,
    statuses: statuses.slice(0, LISTED),
    moreStatuses: Math.max(0, statuses.length - LISTED),
  }
}

/** Whether a row of the attached table may have several partners in a joined table. */
export async function severalPartners(sql: Sql, options: AttachmentOptions): Promise<boolean> {
  if (options.joins.length === 0) return false
  const joins = options.joins.map(
    (join) => `left join ${relation(join)} ${quoted(join.alias)} on (${join.on}\n)`,
  )
  const [found] = await sql.unsafe<{ several: boolean }[]>(
    `select exists (
      select from ${relation(options.table)} ${TABLE_ALIAS} ${joins.join('\n')}
      group by ${TABLE_ALIAS}.${quoted(options.key)} having count(*) > 1
    ) as several`,
  )
  return found?.several === true
}
