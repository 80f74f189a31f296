import { createInterface } from 'node:readline/promises'
import { attach } from '../attach/attaching.ts'
import { prepare } from '../attach/prepare.ts'
import type { Prepared } from '../attach/prepare.ts'
import { parseRequest } from '../attach/request.ts'
import type { AttachFlags } from '../attach/request.ts'
import { compareAll } from '../attach/round.ts'
import { describeInstall } from '../db/attachments/install.ts'
import { countMirrored } from '../db/attachments/store.ts'
import { direct } from '../db/postgres/lane.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { nameOf } from '../model/attachment.ts'
import { describeAttach } from './attach-report.ts'
import type { Edge } from './edge.ts'
import { withStorage } from './storage.ts'

export interface AttachOptions extends AttachFlags {
  readonly dryRun: boolean
  readonly yes: boolean
}

/** Makes the rows of a table of another program observed connections, or changes how they are mirrored. */
export async function attachTable(
  edge: Edge,
  database: Record<string, string>,
  { dryRun, yes, ...flags }: AttachOptions,
): Promise<void> {
  const request = parseRequest(flags)
  await withStorage(edge, database, async ({ sql }) => {
    const prepared = await prepare(sql, request)
    const report = describeAttach(prepared).join('\n')
    // A dry run prints SQL alone, so that its output can be saved as a file and run.
    edge.print(dryRun ? report.replace(/^/gm, '-- ') : report)
    if (dryRun) {
      printStatements(edge, sql, prepared)
      return
    }
    if (edge.terminal && !yes && !(await isConfirmed())) {
      edge.print('Nothing was changed.')
      return
    }
    const id = await attach(sql, prepared.plan)
    await compareAll(direct(sql), id)
    edge.print(await resultOf(sql, prepared, id))
  })
}

function printStatements(edge: Edge, sql: Sql, { plan, former }: Prepared): void {
  edge.print('')
  edge.print('-- These statements would run, in one transaction:')
  for (const statement of describeInstall(sql.schemaName, former?.id ?? 0, plan))
    edge.print(`${statement};`)
  if (former === null) edge.print('-- 0 stands for the number that the attachment gets.')
  edge.print('-- Nothing was changed.')
}

async function isConfirmed(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question('Attach it? [y/N] ')).trim())
  } finally {
    terminal.close()
  }
}

async function resultOf(sql: Sql, { plan, former }: Prepared, id: number): Promise<string> {
  const name = nameOf(plan.options.table)
  const { connections, refused } = await countMirrored(sql, id)
  const left = refused === 0 ? '' : ` ${refused} were left out: "mqtt-status attachments" says why.`
  const did = former === null ? 'is attached' : 'is attached anew'
  return `${name} ${did}: ${connections} connections mirror its rows, and follow its changes while a server runs.${left}`
}
