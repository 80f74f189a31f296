/** Flags that override settings for one command. */
import { Option } from 'commander'
import type { Setting } from '../config/setting-row.ts'
import { SETTINGS } from '../config/settings.ts'

/** The flag that overrides a setting for one command. */
export function instead({ flag, variable }: Setting<unknown>): Option {
  return new Option(`${flag} <value>`, `instead of ${variable}`)
}

/** The flags that override settings, by variable: commander calls `--database-url` `databaseUrl`. */
export function byVariable(flags: object): Record<string, string> {
  const given: Record<string, string> = {}
  for (const setting of SETTINGS) {
    const value = Reflect.get(flags, instead(setting).attributeName()) as unknown
    if (typeof value === 'string') given[setting.variable] = value
  }
  return given
}
