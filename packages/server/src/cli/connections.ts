import { readFile } from 'node:fs/promises'
import { allSettings } from '../db/connections/connection-settings.ts'
import { allConnections } from '../db/connections/connections.ts'
import { SetupError, StatusError } from '../errors.ts'
import { createDialling } from '../management/dialling.ts'
import { Resolver } from '../dns/resolver.ts'
import { importConnections } from '../management/import.ts'
import type { ImportFault, ImportResult } from '../management/import.ts'
import { toExport } from '../management/settings-view.ts'
import { formatOf, readRows, writeRows } from './connections-file.ts'
import type { FileFormat } from './connections-file.ts'
import type { Edge } from './edge.ts'
import { withStorage } from './storage.ts'
import { toTable } from './table.ts'

export interface ImportFlags {
  readonly format?: string
  readonly update: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

const ACTOR = 'command line'
/** A file may have a fault in every line; the command prints this many. */
const SHOWN = 50
/** The import of fewer rows takes less than a second, so it prints no progress. */
const PROGRESS_EVERY = 1_000

/** Prints all connections with their statuses. */
export async function list(
  edge: Edge,
  flags: Record<string, string>,
  json: boolean,
): Promise<void> {
  await withStorage(edge, flags, async ({ sql }) => {
    const rows = await collect(allConnections(sql))
    if (json) {
      edge.print(JSON.stringify(rows, null, 2))
      return
    }
    const cells = rows.map(({ id, siteId, status, reason, name }) => [
      id,
      siteId,
      status,
      reason ?? '',
      name,
    ])
    for (const line of toTable([['ID', 'SITE', 'STATUS', 'REASON', 'NAME'], ...cells]))
      edge.print(line)
  })
}

/** Prints the settings of all connections without secrets, in a format that `import` reads. */
export async function exportAll(
  edge: Edge,
  flags: Record<string, string>,
  format: string,
): Promise<void> {
  const wanted = toFormat(format)
  await withStorage(edge, flags, async ({ sql }) => {
    edge.print(writeRows((await collect(allSettings(sql))).map(toExport), wanted))
  })
}

/** Creates, and with `--update` changes, the connections of a file: all of them or, after any fault, none. */
export async function importFile(
  edge: Edge,
  path: string,
  { database, ...flags }: ImportFlags & { readonly database: Record<string, string> },
): Promise<void> {
  const format = flags.format === undefined ? formatOf(path) : toFormat(flags.format)
  if (format === null)
    throw new SetupError(
      `"${path}" is neither .csv nor .json.\n  Say which: --format csv, or json.`,
    )
  const rows = readRows(await contentOf(path), format)
  const result = await withStorage(edge, database, ({ sql, secrets, config }) =>
    importConnections(rows, {
      ...{ sql, secrets, update: flags.update, dryRun: flags.dryRun, actor: ACTOR },
      dialling: createDialling({ allow: config.allow, resolver: new Resolver() }),
      onProgress(step, done, total) {
        const worthIt = done % PROGRESS_EVERY === 0 && total > PROGRESS_EVERY
        if (!flags.json && worthIt) edge.progress(`${done} of ${total} ${step}`)
      },
    }).catch((error: unknown) => {
      throw error instanceof StatusError ? new SetupError(error.message, { cause: error }) : error
    }),
  )
  report(edge, result, { ...flags, format })
}

function report(
  edge: Edge,
  result: ImportResult,
  { json, dryRun, format }: { json: boolean; dryRun: boolean; format: FileFormat },
): void {
  if (json) edge.print(JSON.stringify({ ...result, dryRun }, null, 2))
  if (result.kind === 'refused') throw new SetupError(describe(result.faults, format, json))
  if (json) return
  const { created, changed, unchanged } = result
  const counts = `${created} created, ${changed} changed, ${unchanged} unchanged`
  edge.print(dryRun ? `Nothing is wrong, and nothing was written: ${counts}.` : `${counts}.`)
}

function describe(faults: readonly ImportFault[], format: FileFormat, json: boolean): string {
  const head = `Nothing was written: ${faults.length === 1 ? 'a fault' : `${faults.length} faults`} in the file.`
  if (json) return head
  const place = format === 'csv' ? 'line' : 'item'
  const lines = faults
    .slice(0, SHOWN)
    .map(({ line, field, message }) => `  ${place} ${line}, ${field}: ${message}`)
  const more = faults.length - lines.length
  return [head, ...lines, ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n')
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown failure'
    throw new SetupError(`"${path}" can't be read (${code}).`, { cause })
  }
}

async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(...page)
  return all
}

function toFormat(text: string): FileFormat {
  if (text === 'csv' || text === 'json') return text
  throw new SetupError(`--format: found "${text}", expected csv or json.`)
}
