import { detach } from '../attach/attaching.ts'
import { parseName } from '../attach/identifier.ts'
import { readAttachments, readBacklogs } from '../db/attachments/store.ts'
import type { Backlog } from '../db/attachments/store.ts'
import { SetupError } from '../errors.ts'
import type { Attachment, AttachmentError } from '../model/attachment.ts'
import type { Edge } from './edge.ts'
import { withStorage } from './storage.ts'
import { toTable } from './table.ts'

/** Prints what is attached, and how it fares. */
export async function listAttachments(
  edge: Edge,
  database: Record<string, string>,
  json: boolean,
): Promise<void> {
  await withStorage(edge, database, async ({ sql }) => {
    const attachments = await readAttachments(sql)
    const backlogs = new Map((await readBacklogs(sql)).map((backlog) => [backlog.id, backlog]))
    const rows = attachments.map((attachment) => ({
      ...attachment,
      connections: backlogs.get(attachment.id)?.connections ?? 0,
      backlog: backlogs.get(attachment.id)?.notes ?? 0,
      wishes: backlogs.get(attachment.id)?.wishes ?? 0,
    }))
    if (json) edge.print(JSON.stringify(rows, null, 2))
    else for (const line of describe(rows)) edge.print(line)
  })
}

/** Removes the mirror of a table, with everything that `attach` has created. */
export async function detachTable(
  edge: Edge,
  database: Record<string, string>,
  name: string,
): Promise<void> {
  await withStorage(edge, database, async ({ sql }) => {
    const attachments = await readAttachments(sql)
    const attachment = find(attachments, name)
    const count = await detach(sql, attachment)
    edge.print(
      `${attachment.name} is detached: its triggers, functions and ${count} connections are gone.`,
    )
  })
}

/** By the name of the table, with or without its schema, or by the prefix. */
function find(attachments: readonly Attachment[], name: string): Attachment {
  const wanted = parseName(name)
    ?.map(({ text, isQuoted }) => (isQuoted ? text : text.toLowerCase()))
    .join('.')
  const found = attachments.filter(
    ({ name: full, prefix, options }) =>
      [name, wanted].includes(full) ||
      [name, wanted].includes(options.table.name) ||
      prefix === name,
  )
  const [attachment] = found
  if (attachment !== undefined && found.length === 1) return attachment
  const names = attachments.map(({ name: known }) => known).join(', ')
  if (found.length > 1)
    throw new SetupError(
      `"${name}" is the name of several attached tables.\n  Name one with its schema: ${found.map(({ name: known }) => known).join(', ')}`,
    )
  throw new SetupError(
    `No table "${name}" is attached.\n  ${names === '' ? 'There are no attached tables.' : `Attached are: ${names}`}`,
  )
}

function described({ message, code, count, since }: AttachmentError): string {
  return `${message} (${code}, ${count} times since ${since})`
}

type Row = Attachment & Omit<Backlog, 'id' | 'notes'> & { readonly backlog: number }

function describe(rows: readonly Row[]): string[] {
  if (rows.length === 0) return ['No table is attached.']
  const cells = rows.map((row) => [
    row.name,
    row.prefix,
    String(row.connections),
    String(row.backlog),
    String(row.wishes),
    row.comparedAt ?? 'never',
    row.error === null && row.wishError === null
      ? row.refusedCount > 0
        ? `${row.refusedCount} rows left out`
        : 'ok'
      : 'error',
  ])
  const faults = rows.flatMap(({ name, error, wishError, refused, refusedCount }) => [
    ...(error === null ? [] : [`! ${name}: ${described(error)}`]),
    ...(wishError === null ? [] : [`! ${name}, clicks are not written: ${described(wishError)}`]),
    ...refused.map(({ key, message }) => `! ${name}, row ${key}: ${message}`),
    ...(refusedCount > refused.length
      ? [`! ${name}: … and ${refusedCount - refused.length} more`]
      : []),
  ])
  return [
    ...toTable([
      ['TABLE', 'PREFIX', 'CONNECTIONS', 'BACKLOG', 'CLICKS', 'COMPARED', 'STATE'],
      ...cells,
    ]),
    ...faults,
  ]
}
