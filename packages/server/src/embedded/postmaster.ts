/** What `postmaster.pid` tells of a Postgres in a data folder, and how the end of a former one is waited for. */
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
  /** As pg_ctl reads it; `starting` until the last line is there. */
  readonly state: string
}

/** Who runs the Postgres of a folder: written by the keeper, removed by it. */
export interface Run {
  readonly owner: number
  readonly keeper: number
}

/** A shutdown in progress ends within this time; the keeper sees to it. */
const SHUTDOWN_MS = 25_000
/** For a keeper to notice that its owner is gone. */
const NOTICE_MS = 1_500
/** After this a person wants to know what is going on. */
const PATIENCE_MS = 500
const POLL_MS = 20

/** Reads the lock file of a data folder; `null` = nothing runs there. */
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
 * What is found in the folder of a former run:
 *
 * - `gone`: nothing runs there
 * - `silent`: nobody listens where the lock file says so; if that lasts, its process id belongs to another program by now
 * - `orphan`: its keeper was killed together with its owner, so nobody else will stop it
 * - `leaving`: it shuts down, or is about to, because its owner is gone
 * - `busy`: somebody uses it
 */
type Former =
  | { readonly kind: 'gone' }
  | { readonly kind: 'silent'; readonly afterMs: number }
  | { readonly kind: 'orphan'; readonly pid: number; readonly afterMs: number }
  | { readonly kind: 'leaving' | 'busy'; readonly afterMs: number; readonly run: Run | null }

/**
 * Waits until nothing runs in the folder: a former run may still be shutting down. Survives the lock file of a run that
 * was cut off, also when its process id belongs to another program by now.
 *
 * @throws SetupError when somebody else uses the folder
 */
export async function waitForFormer(
  folder: PostgresFolder,
  log: (message: string) => void,
): Promise<void> {
  const begun = performance.now()
  let told = false
  for (;;) {
    const former = await findFormer(folder)
    const waited = performance.now() - begun
    if (former.kind === 'gone') return
    if (former.kind === 'orphan') kill(former.pid, 'SIGINT')
    if (waited > former.afterMs) {
      if (former.kind !== 'silent') throw inUse(folder, 'run' in former ? former.run : null)
      // Postgres would refuse to start beside it.
      await rm(join(folder.data, 'postmaster.pid'), { force: true })
      return
    }
    if (!told && waited > PATIENCE_MS) {
      log('Waiting for the former run to end…')
      told = true
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

/** The refusal when two want to use one folder at a time. */
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
    // It is there, but belongs to somebody else.
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
