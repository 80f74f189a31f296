/** What a benchmark prints: the machine, the command, one table. */
import { cpus } from 'node:os'
import { basename } from 'node:path'

export type Cell = string | number | null

/** A markdown table; `null` is "there is no such number". */
export function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const text = rows.map((row) => row.map(format))
  const widths = head.map((title, i) =>
    Math.max(title.length, ...text.map((row) => row[i]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  console.log(line([...head]))
  console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  for (const row of text) console.log(line(row))
}

/** What a reader needs to repeat the measurement. */
export function printMachine(postgresVersion: string | null): void {
  const [cpu] = cpus()
  const command = ['node', `bench/${basename(process.argv[1] ?? '')}`, ...process.argv.slice(2)]
  console.log(
    `${cpus().length} × ${cpu?.model ?? 'unknown'} · Node ${process.versions.node} · ` +
      (postgresVersion === null ? '' : `Postgres ${postgresVersion} · `) +
      `${new Date().toISOString().slice(0, 10)} · \`${command.join(' ')}\`\n`,
  )
}

/** Progress is for people; the table is for files. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

function format(cell: Cell): string {
  if (cell === null) return '–'
  if (typeof cell === 'string') return cell
  if (Math.abs(cell) >= 100) return cell.toFixed(0)
  return cell.toFixed(Math.abs(cell) >= 10 ? 1 : 2)
}

/** The value below which a share of the values lies; the values are sorted here. */
export function percentile(values: number[], share: number): number | null {
  values.sort((a, b) => a - b)
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? null
}
