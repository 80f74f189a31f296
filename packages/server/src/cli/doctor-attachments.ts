import { readSights } from '../db/attachments/look.ts'
import type { Sight } from '../db/attachments/look.ts'
import { readBacklogs } from '../db/attachments/store.ts'
import type { Sql } from '../db/postgres/sql.ts'
import type { AttachmentError } from '../model/attachment.ts'
import type { Answer } from './finding.ts'

/** Notes live for a tenth of a second where a server runs. */
const MUCH = 10_000

/** Whether the attached tables are mirrored. */
export async function attachments(sql: Sql): Promise<Answer> {
  const sights = await readSights(sql)
  if (sights.length === 0) return { state: 'ok', found: 'no table is attached' }
  const backlogs = await readBacklogs(sql)
  const faults = sights.flatMap((sight) =>
    faultsOf(sight, backlogs.find(({ id }) => id === sight.attachment.id)?.notes ?? 0),
  )
  const count = backlogs.reduce((sum, { connections }) => sum + connections, 0)
  const names = sights.map(({ attachment }) => attachment.name).join(', ')
  if (faults.length === 0)
    return { state: 'ok', found: `${count} connections mirror the rows of ${names}` }
  return {
    state: faults.some(({ state }) => state === 'broken') ? 'broken' : 'warning',
    found: faults.map(({ found }) => found).join('; '),
    cure: faults.map(({ cure }) => cure).join('\n'),
  }
}

interface Fault {
  readonly state: 'warning' | 'broken'
  readonly found: string
  readonly cure: string
}

function faultsOf(sight: Sight, notes: number): Fault[] {
  return [...mirrorFaults(sight), ...clickFaults(sight), ...rowFaults(sight, notes)].filter(
    ({ there }) => there,
  )
}

/** What may be wrong, and whether it is. */
type Possible = Fault & { readonly there: boolean }

function mirrorFaults({ attachment: { name, error }, missing, silent }: Sight): Possible[] {
  return [
    {
      there: missing.length > 0,
      state: 'broken',
      found: `${missing.join(', ')} of the attachment ${name} is not there any more`,
      cure: `Restore the table, or run "mqtt-status detach ${name}".`,
    },
    {
      there: silent.length > 0,
      state: 'broken',
      found: `the trigger on ${silent.join(', ')} is missing or disabled, so changes are found every 5 min only`,
      cure: 'Run "mqtt-status attach" with the same options again: it creates the trigger.',
    },
    {
      there: error !== null && missing.length + silent.length === 0,
      state: 'broken',
      found: `${name} is not mirrored: ${said(error)}`,
      cure: 'Undo the change of the table, or run "mqtt-status attach" with options that fit it. The server tries again within 60 s.',
    },
  ]
}

function clickFaults({ attachment: { name, wishError } }: Sight): Possible[] {
  return [
    {
      there: wishError !== null,
      state: 'broken',
      found: `clicks on cards of ${name} are not written: ${said(wishError)}`,
      cure: 'Cure that error in your tables, or run "mqtt-status attach" with other options for clicks. The server tries again within 60 s.',
    },
  ]
}

function said(error: AttachmentError | null): string {
  return error === null ? '' : `${error.message} (${error.code})`
}

function rowFaults(
  { attachment: { name, refusedCount, refused } }: Sight,
  notes: number,
): Possible[] {
  const [first] = refused
  return [
    {
      there: refusedCount > 0,
      state: 'warning',
      found: `${refusedCount} rows of ${name} are left out, as ${first?.key ?? ''}: ${first?.message ?? ''}`,
      cure: '"mqtt-status attachments" lists them.',
    },
    {
      there: notes > MUCH,
      state: 'warning',
      found: `${notes} changes of ${name} are not mirrored yet`,
      cure: 'Start a server: "mqtt-status serve" mirrors attached tables.',
    },
  ]
}
