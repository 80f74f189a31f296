/** Many clients in a process of their own, so that the figures leave out what they cost. The parent commands them by messages. */
import { nowMs } from '../marker.ts'
import { LoadClient } from './client.ts'
import type { Watched, WireKind } from './wire.ts'

export interface OpenCommand {
  readonly kind: WireKind
  readonly port: number
  readonly count: number
  /** `all`, or how many of how many rows each watches. */
  readonly watch: 'all' | { readonly site: string } | { readonly each: number; readonly of: number }
  /** Dials at the same time. */
  readonly together: number
  /** Resumes from the cursors of those that were open before. */
  readonly resume?: boolean
}

export type Command =
  | { readonly do: 'open'; readonly open: OpenCommand }
  | { readonly do: 'pause'; readonly count: number }
  | { readonly do: 'reset' }
  | { readonly do: 'close' }
  | { readonly do: 'report' }
  /** Answered when each client that reads has seen this many changes since the reset. */
  | { readonly do: 'await'; readonly changes: number }

export interface Request {
  readonly number: number
  readonly command: Command
}

export interface Answer {
  readonly number: number
  readonly value: unknown
  readonly error?: string
}

export interface Report {
  readonly changes: number
  readonly chunks: number
  readonly latenciesMs: number[]
  readonly lastAtMs: number
  readonly closed: number
  readonly answered: { readonly patch: number; readonly snapshot: number }
}

let clients: LoadClient[] = []
let paused = 0
let counts: number[] = []
let latenciesMs: number[] = []
let lastAtMs = 0
let chunksBefore = 0

function dial(open: OpenCommand, index: number, cursor: string | null): LoadClient {
  const { kind, port } = open
  return new LoadClient({
    kind,
    port,
    watched: { ...watchedBy(open, index), ...(cursor === null ? {} : { cursor }) },
    onChange(momentMs, sequence) {
      if (sequence === 0) return
      counts[index] = (counts[index] ?? 0) + 1
      lastAtMs = nowMs()
      latenciesMs.push(lastAtMs - momentMs)
    },
  })
}

function watchedBy({ watch }: OpenCommand, index: number): Watched {
  if (watch === 'all') return { all: true }
  if ('site' in watch) return { sites: [watch.site] }
  const first = (index * watch.each) % watch.of
  const ids = Array.from({ length: watch.each }, (_, i) => `c${(first + i) % watch.of}`)
  return { connections: ids }
}

async function openAll(open: OpenCommand): Promise<void> {
  const cursors = clients.map(({ cursor }) => cursor)
  const base = open.resume === true ? 0 : clients.length
  if (open.resume === true) clients = []
  for (let start = 0; start < open.count; start += open.together) {
    const many = Math.min(open.together, open.count - start)
    const batch = Array.from({ length: many }, (_, i) =>
      dial(open, base + start + i, open.resume === true ? (cursors[start + i] ?? null) : null),
    )
    clients.push(...batch)
    await Promise.all(batch.map(({ ready }) => ready))
  }
}

function report(): Report {
  const answered = { patch: 0, snapshot: 0 }
  for (const { answeredBy } of clients) if (answeredBy !== null) answered[answeredBy]++
  return {
    changes: counts.reduce((sum, count) => sum + count, 0),
    chunks: clients.reduce((sum, { chunks }) => sum + chunks, 0) - chunksBefore,
    latenciesMs,
    lastAtMs,
    closed: clients.filter(({ closed }) => closed).length,
    answered,
  }
}

function reset(): void {
  counts = clients.map(() => 0)
  latenciesMs = []
  chunksBefore = clients.reduce((sum, { chunks }) => sum + chunks, 0)
}

async function reached(changes: number): Promise<void> {
  while (counts.slice(paused).some((count) => count < changes))
    await new Promise((resolve) => setTimeout(resolve, 2))
}

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'open':
      return openAll(command.open)
    case 'pause':
      paused = command.count
      for (const client of clients.slice(0, paused)) client.pause()
      return null
    case 'reset':
      reset()
      return null
    case 'await':
      return reached(command.changes)
    case 'report':
      return report()
    case 'close':
      for (const client of clients) client.destroy()
      clients = []
      counts = []
      paused = 0
      chunksBefore = 0
      return null
  }
}

process.on('message', ({ number, command }: Request) => {
  obey(command).then(
    (value) => process.send?.({ number, value } satisfies Answer),
    (error: unknown) =>
      process.send?.({ number, value: null, error: String(error) } satisfies Answer),
  )
})
process.on('disconnect', () => process.exit())
