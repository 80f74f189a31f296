/** Reads a group of settings from the environment and from flags, and reports all faults together. The variables are in `settings.ts`. */
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { SetupError } from '../errors.ts'
import { mapRows, rowsOf } from './setting-row.ts'
import type { Setting, ValuesOf } from './setting-row.ts'

/** Environment variables are strings or absent. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface Sources {
  readonly environment: Environment
  /** By variable; a flag wins over the variable of the environment. */
  readonly flags?: Environment
  /** Faults that the caller has found already. */
  readonly faults?: readonly string[]
}

/** @throws SetupError that lists every fault: the variable, what was found, what is expected */
export function read<Group extends object>(
  group: Group,
  { environment, flags = {}, faults: known = [] }: Sources,
): ValuesOf<Group> {
  const rows = rowsOf(group)
  const texts = new Map<string, Text>()
  for (const { variable, default: fallback } of rows) {
    const content = blank(flags[variable]) ?? blank(environment[variable]) ?? fallback
    if (content !== undefined) texts.set(variable, { content, from: variable })
  }
  const faults = [...known, ...readFiles(rows, texts)]
  const values = mapRows(group, (row) => {
    const text = texts.get(row.variable)
    const parsed = v.safeParse(row.schema, text?.content)
    if (parsed.success) return parsed.output
    faults.push(...parsed.issues.map(({ message }) => describe(row, text, message)))
    return undefined
  })
  if (faults.length === 0) return values
  throw new SetupError(
    `The configuration has ${count(faults)}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  )
}

/** An empty variable counts as not set. */
export function blank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim()
}

interface Text {
  readonly content: string
  /** The variable that an operator has to mend. */
  readonly from: string
}

/**
 * Replaces the path of a file by its content, which is checked like any other value.
 *
 * @returns what is wrong with the files
 */
function readFiles(rows: readonly Setting<unknown>[], texts: Map<string, Text>): string[] {
  const faults: string[] = []
  for (const { variable, fileOf } of rows) {
    const path = texts.get(variable)?.content
    if (fileOf === undefined || path === undefined) continue
    if (texts.has(fileOf)) {
      faults.push(`${fileOf}, ${variable}: expected one of them`)
      continue
    }
    try {
      const content = readFileSync(path, 'utf8')
      texts.set(fileOf, { content, from: variable })
      if (content.trim() === '') faults.push(`${variable}: "${path}" is empty`)
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown failure'
      faults.push(`${variable}: found "${path}", expected a file that this user may read (${why})`)
    }
  }
  return faults
}

function describe(
  { variable, secret }: Setting<unknown>,
  text: Text | undefined,
  message: string,
): string {
  const found = secret || text === undefined ? '' : `found "${text.content}", `
  return `${text?.from ?? variable}: ${found}${message}`
}

function count(faults: readonly string[]): string {
  return faults.length === 1 ? 'a fault' : `${faults.length} faults`
}
