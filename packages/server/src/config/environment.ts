/** From environment and flags to checked values: what is given for which setting, and what is wrong with it. */
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { SetupError } from '../errors.ts'
import { SETTINGS } from './settings.ts'
import type { Environment } from './settings.ts'

/** Secrets are never repeated, not even a wrong one. */
const UNSPEAKABLE = new Set([
  'AUTH_JWT_SECRET',
  'DATABASE_URL',
  'LISTEN_DATABASE_URL',
  'MQTT_SECRET_KEYS',
])

/** The values of all settings, as they are given; keys in a file are read, so that they are checked like any other. */
export function gather(
  environment: Environment,
  flags: Environment,
): { given: Environment; faults: string[] } {
  const given = Object.fromEntries(
    SETTINGS.map((s) => [
      s.variable,
      blank(flags[s.variable]) ?? blank(environment[s.variable]) ?? s.default,
    ]),
  )
  const file = given['MQTT_SECRET_KEYS_FILE']
  if (file === undefined) return { given, faults: [] }
  if (given['MQTT_SECRET_KEYS'] !== undefined) {
    return { given, faults: ['MQTT_SECRET_KEYS, MQTT_SECRET_KEYS_FILE: expected one of them'] }
  }
  try {
    const keys = readFileSync(file, 'utf8')
    const empty = keys.trim() === '' ? [`MQTT_SECRET_KEYS_FILE: "${file}" is empty`] : []
    return { given: { ...given, MQTT_SECRET_KEYS: keys }, faults: empty }
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown failure'
    const fault = `found "${file}", expected a file that this user may read (${why})`
    return { given, faults: [`MQTT_SECRET_KEYS_FILE: ${fault}`] }
  }
}

/** @throws SetupError that lists the faults that are known already and all that are found */
export function checked<T>(
  expected: v.GenericSchema<unknown, T>,
  given: Environment,
  faults: readonly string[],
): T {
  const parsed = v.safeParse(expected, given)
  const all = [
    ...faults,
    ...(parsed.success ? [] : parsed.issues.map((issue) => describe(issue, given))),
  ]
  if (parsed.success && all.length === 0) return parsed.output
  throw new SetupError(
    `The configuration has ${count(all)}:\n${all.map((fault) => `  ${fault}`).join('\n')}`,
  )
}

/** An empty variable counts as not set. */
export function blank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim()
}

function describe(issue: v.BaseIssue<unknown>, given: Environment): string {
  const variable = v.getDotPath(issue)?.split('.')[0] ?? 'configuration'
  const value = given[variable]
  const found = UNSPEAKABLE.has(variable) || value === undefined ? '' : `found "${value}", `
  const fromFile = variable === 'MQTT_SECRET_KEYS' && given['MQTT_SECRET_KEYS_FILE'] !== undefined
  return `${fromFile ? 'MQTT_SECRET_KEYS_FILE' : variable}: ${found}${issue.message}`
}

function count(faults: readonly string[]): string {
  return faults.length === 1 ? 'a fault' : `${faults.length} faults`
}
