/**
 * The program of the keeper: a process that starts an embedded Postgres and stops it. The keeper runs in a session of its
 * own, so that Ctrl-C at the terminal does not reach it. When the pipe to its owner closes, the keeper shuts Postgres down and
 * exits. This file is a process edge like main.ts.
 */
import { spawn } from 'node:child_process'
import { openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { readPostmaster } from './postmaster.ts'
import type { Run } from './postmaster.ts'
import type { RunAs } from './postgres-user.ts'

/** The order of the owner, as JSON in the first argument. */
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

/** A message to the owner, one JSON object a line. */
export type KeeperReport =
  { readonly kind: 'ready' } | { readonly kind: 'ended'; readonly said: string }

const POLL_MS = 10
/** Characters of the log in a message; they have to fit into the buffer of the pipe. */
const LAST_WORDS = 4_000
/** A fast shutdown takes milliseconds; the keeper sends these signals, after these times, to a Postgres that still runs. */
const ESCALATION: readonly (readonly [NodeJS.Signals, number])[] = [
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
  // Windows has no signals; pg_ctl stops Postgres there in another way.
  if (process.platform === 'win32') spawn(pgCtl, ['stop', '-D', data, '-m', 'fast'])
  else child.kill('SIGINT')
  for (const [signal, afterMs] of ESCALATION) setTimeout(() => child.kill(signal), afterMs).unref()
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
    // A copy with a standby.signal reaches the state `standby` and never `ready`.
    if (postmaster?.pid === child.pid && /^(ready|standby)$/.test(postmaster?.state ?? '')) break
    await delay(POLL_MS)
  }
  ran = true
  writeFileSync(run, JSON.stringify(me))
  report({ kind: 'ready' })
}

// The owner may have ended when the keeper writes to it.
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
