/**
 * A small process of its own that holds an embedded Postgres. It runs in a session of its own, so that Ctrl-C at the
 * terminal does not reach it, and it watches the pipe that leads to its owner: when that ends, for whatever reason, it
 * shuts Postgres down and ends too. Being a process of its own, this file is a process edge like main.ts.
 */
import { spawn } from 'node:child_process'
import { openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { readPostmaster } from './postmaster.ts'
import type { Run } from './postmaster.ts'
import type { RunAs } from './postgres-user.ts'

/** What the owner asks for, as JSON in the first argument. */
export interface KeeperOrder {
  readonly postgres: string
  readonly pgCtl: string
  readonly data: string
  readonly port: number
  /** For `postgres -c`. */
  readonly settings: readonly string[]
  readonly log: string
  readonly run: string
  readonly user: RunAs | null
}

/** What the owner is told, one JSON a line. */
export type KeeperReport =
  { readonly kind: 'ready' } | { readonly kind: 'ended'; readonly said: string }

const POLL_MS = 10
/** Characters of the log that the owner is told; they have to fit into the pipe. */
const LAST_WORDS = 4_000
/** A fast shutdown takes milliseconds; what does not end then is asked less and less kindly. */
const INSISTENCE: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGQUIT', 15_000],
  ['SIGKILL', 20_000],
]

const { postgres, pgCtl, data, port, settings, log, run, user } = JSON.parse(
  process.argv[2] ?? '',
) as KeeperOrder

const me: Run = { owner: process.ppid, keeper: process.pid }
const logFile = openSync(log, 'a', 0o600)
const logStart = statSync(log).size

const child = spawn(
  postgres,
  ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
  { cwd: data, stdio: ['ignore', logFile, logFile], windowsHide: true, ...user },
)

let stopping = false

function stop(): void {
  if (stopping) return
  stopping = true
  // Windows knows no signals, and pg_ctl knows how else to say it.
  if (process.platform === 'win32') spawn(pgCtl, ['stop', '-D', data, '-m', 'fast'])
  else child.kill('SIGINT')
  for (const [signal, afterMs] of INSISTENCE) setTimeout(() => child.kill(signal), afterMs).unref()
}

function report(message: KeeperReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

function end(said: string): void {
  report({ kind: 'ended', said })
  if (ran) rmSync(run, { force: true })
  process.exit(0)
}

let ran = false

async function awaitReady(): Promise<void> {
  for (;;) {
    const postmaster = await readPostmaster(data)
    // A copy with a standby.signal is as ready as it gets.
    if (postmaster?.pid === child.pid && /^(ready|standby)$/.test(postmaster?.state ?? '')) break
    await delay(POLL_MS)
  }
  ran = true
  writeFileSync(run, JSON.stringify(me))
  report({ kind: 'ready' })
}

// The owner may be gone when something is reported.
process.stdout.on('error', () => undefined)
process.stdin.on('error', stop).once('close', stop).resume()
process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop)
child.once('error', (error) => {
  end(error.message)
})
child.once('exit', () => {
  end(readFileSync(log).subarray(logStart).toString('utf8').slice(-LAST_WORDS).trim())
})
await awaitReady()
