/** Reads the `postmaster.pid` of a data folder, and waits for the end of a former Postgres. */
import { readFile, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { kill } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { SetupError } from '../errors.ts'
import type { PostgresFolder } from './postgres-folder.ts'

export interface Postmaster {
  readonly pid: number
  readonly port: number
  /** The state that pg_ctl reads; `starting` until Postgres has written the last line. */
  readonly state: string
}

/** The processes of a running Postgres; the keeper writes this file, and deletes it. */
export interface Run {
  readonly owner: number
  readonly keeper: number
}

/** A shutdown ends within this time, because the keeper escalates its signals. */
const SHUTDOWN_MS = 25_000
/** A keeper detects the end of its owner within this time. */
const NOTICE_MS = 1_500
/** After this time the wait is logged. */
const PATIENCE_MS = 500
const POLL_MS = 20

/** Reads the lock file of a data folder; `null` = no Postgres runs on it. */
export async function readPostmaster(data: string): Promise<Postmaster | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => null)
  if (text === null) return null
  const lines = text.split('\n')
  return {
    pid: Number(lines[0]),
    port: Number(lines[3] ?? 0),
    state: lines[7]?.trim() || 'starting',
  }
}

/**
 * The state of the Postgres of a former run:
 *
 * - `gone`: no process runs
 * - `silent`: no process listens on the port in the lock file; if that lasts, the process id belongs to another program
 * - `orphan`: keeper and owner were killed, so this process has to stop Postgres
 * - `leaving`: Postgres shuts down, or will, because its owner has ended
 * - `busy`: another process uses Postgres
 */
type Former =
  | { readonly kind: 'gone' }
  | { readonly kind: 'silent'; readonly afterMs: number }
  | { readonly kind: 'orphan'; readonly pid: number; readonly afterMs: number }
  | { readonly kind: 'leaving' | 'busy'; readonly afterMs: number; readonly run: Run | null }

/**
 * Waits until no Postgres runs on the folder: a former run may still shut down. Deletes the lock file of a killed run, also
 * when its process id now belongs to another program.
 *
 * @throws SetupError when another process uses the folder
 */
export async function waitForFormer(
  folder: PostgresFolder,
  log: (message: string) => void,
): Promise<void> {
  const begun = performance.now()
  let logged = false
  for (;;) {
    const former = await findFormer(folder)
    const waited = performance.now() - begun
    if (former.kind === 'gone') return
    if (former.kind === 'orphan') kill(former.pid, 'SIGINT')
    if (waited > former.afterMs) {
      if (former.kind !== 'silent') throw inUse(folder, 'run' in former ? former.run : null)
      // Postgres refuses to start while this file exists.
      await rm(join(folder.data, 'postmaster.pid'), { force: true })
      return
    }
    if (!logged && waited > PATIENCE_MS) {
      log('Waiting for the former run to end…')
      logged = true
    }
    await delay(POLL_MS)
  }
}

async function findFormer(folder: PostgresFolder): Promise<Former> {
  const postmaster = await readPostmaster(folder.data)
  if (postmaster === null || !isAlive(postmaster.pid)) return { kind: 'gone' }
  const ready = postmaster.state === 'ready'
  if (!(await isListening(postmaster.port)))
    return { kind: 'silent', afterMs: ready ? PATIENCE_MS : SHUTDOWN_MS }
  const run = await readRun(folder)
  if (run !== null && !isAlive(run.owner) && !isAlive(run.keeper))
    return { kind: 'orphan', pid: postmaster.pid, afterMs: SHUTDOWN_MS }
  if (!ready || (run !== null && !isAlive(run.owner)))
    return { kind: 'leaving', run, afterMs: SHUTDOWN_MS }
  return { kind: 'busy', run, afterMs: NOTICE_MS }
}

/** The error of a second process for the same folder. */
export function inUse({ path }: PostgresFolder, run: Run | null): SetupError {
  const who = run === null ? 'another process' : `process ${run.owner}`
  return new SetupError(
    `The data in ${path} is in use by ${who}: a demo runs there already.\n` +
      '  Stop that one, or run this one on data and a port of its own: --folder <folder> --port 8002.',
  )
}

async function readRun({ run }: PostgresFolder): Promise<Run | null> {
  try {
    return JSON.parse(await readFile(run, 'utf8')) as Run
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 1)) return false
  try {
    kill(pid, 0)
    return true
  } catch (error) {
    // The process exists, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    const settle = (answer: boolean) => (): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', settle(true)).once('error', settle(false))
  })
}
