/** Fragments of SQL over the columns of settings, made from the table of settings: its names are constants, so they need no escaping. */
import { SETTING_NAMES, SETTING_ROWS } from '../../model/connection/settings.ts'
import type { SettingName } from '../../model/connection/settings.ts'
import type { Sql } from '../postgres/sql.ts'

type Fragment = ReturnType<Sql['unsafe']>

/** `site_id, name, …`: the columns of an insert. */
export function settingColumns(sql: Sql): Fragment {
  return joined(sql, (name) => SETTING_ROWS[name].column)
}

/** `r."siteId", r."name", …`: the same columns as {@link settingRecord} has them. */
export function recordColumns(sql: Sql): Fragment {
  return joined(sql, (name) => `r."${name}"`)
}

/** `"siteId" text, "name" text, …`: how `jsonb_to_recordset` reads settings that were sent as JSON. */
export function settingRecord(sql: Sql): Fragment {
  return joined(sql, (name) => `"${name}" ${SETTING_ROWS[name].type}`)
}

/** `site_id = r."siteId", …`: the assignments of an update. */
export function settingAssignments(sql: Sql): Fragment {
  return joined(sql, (name) => `${SETTING_ROWS[name].column} = r."${name}"`)
}

/** `'siteId', c.site_id, …`: arguments of `json_build_object` over `connections c`. */
export function settingPairs(sql: Sql, names: readonly SettingName[] = SETTING_NAMES): Fragment {
  return joined(sql, (name) => `'${name}', c.${SETTING_ROWS[name].column}`, names)
}

function joined(
  sql: Sql,
  write: (name: SettingName) => string,
  names: readonly SettingName[] = SETTING_NAMES,
): Fragment {
  return sql.unsafe(names.map(write).join(', '))
}
