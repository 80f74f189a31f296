/**
 * The function that writes a wish into the tables of another program. It belongs to the role that attaches the table, and has
 * the search path of that role, as the program's own sessions have it: the program's triggers may depend on it.
 */
import type { AttachmentOptions, CommandTable, WishColumn } from '../../model/attachment.ts'
import { quoted } from '../postgres/sql.ts'
import { functionOf, relation } from './mirror-sql.ts'
import type { AttachmentPlace } from './mirror-sql.ts'
import { dollarQuoted, literal } from './quoting.ts'

/**
 * The statement; none where connections take no commands. The function never waits for a row of the other program: it returns
 * `written`, `locked`, or `gone` where there is no such row.
 */
export function wishFunctions(place: AttachmentPlace, options: AttachmentOptions): string[] {
  const { table, key, keyType, desired, commands } = options
  if (desired === null && commands === null) return []
  const from = `${relation(table)} t where t.${quoted(key)} operator(pg_catalog.=) wish_key::${keyType}`
  const body = `begin
  perform from ${from} for no key update skip locked;
  if not found then
    perform from ${from};
    return case when found then 'locked' else 'gone' end;
  end if;
${desired === null ? '' : updateOf(options, desired)}${commands === null ? '' : insertOf(commands)}  return 'written';
end`
  return [
    `create or replace function ${quoted(place.schema)}.${functionOf(place, 'wish')}(
  wish_key pg_catalog.text, wish pg_catalog.text, wish_action pg_catalog.text, wish_at timestamptz,
  wish_by pg_catalog.text, wish_generation pg_catalog.int8
) returns pg_catalog.text
language plpgsql security definer
set search_path from current set timezone = 'UTC' set datestyle = 'ISO' as ${dollarQuoted(body)}`,
  ]
}

function updateOf({ table, key, keyType }: AttachmentOptions, desired: WishColumn): string {
  const { connected, disconnected } = desired.words
  return `  update ${relation(table)} t
  set ${quoted(desired.name)} = (case wish when 'connected' then ${literal(connected)} else ${literal(disconnected)} end)::${desired.type}
  where t.${quoted(key)} operator(pg_catalog.=) wish_key::${keyType};
`
}

/** Cuts the subject of a token to the length of the column. */
function insertOf(commands: CommandTable): string {
  const by = commands.needsRequestedBy ? `coalesce(wish_by, '')` : 'wish_by'
  return `  insert into ${relation(commands)} (key, action, requested_at, requested_by, generation)
  values (wish_key::${commands.keyType}, wish_action, wish_at, ${by}::${commands.requestedByType}, wish_generation);
`
}
