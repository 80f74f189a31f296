/**
 * The folder of an embedded Postgres, which stays between the runs:
 *
 *     .mqtt-status    marks the folder as one of mqtt-status, which may delete the entries of this list
 *     data/           the cluster
 *     password        of the user `postgres`, for this machine only
 *     port            of the last run; the next run uses it again if it is free
 *     url             of the last run, for psql
 *     postgres.log    the log of Postgres
 *     run.json        the process ids of the present run
 */
import { createHash, randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { SetupError } from '../errors.ts'
import { canReach } from './postgres-user.ts'
import type { RunAs } from './postgres-user.ts'

export interface PostgresFolder {
  readonly path: string
  readonly data: string
  readonly password: string
  readonly port: string
  readonly url: string
  readonly log: string
  readonly run: string
}

const MARKER = '.mqtt-status'
const DRAFT = 'initdb-'
const DRAFT_MS = 300_000

const EXPLANATION = `This folder belongs to the embedded Postgres of mqtt-status. It may be deleted while nothing runs in it.\n`

/** The parent folder for data of root, whose own folders the user of Postgres can't reach. */
const PLACE_OF_ROOT = '/var/lib/mqtt-status'

/**
 * The folder for the data: the preferred one, or, if the user of Postgres can't reach it (a checkout below the home of
 * root), a folder of the system that is named after it.
 */
export async function reachableFolder(
  preferred: string,
  user: RunAs | null,
  place: string = PLACE_OF_ROOT,
): Promise<string> {
  const path = resolve(preferred)
  if (await canReach(user, await nearestExisting(path))) return path
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 8)
  return join(place, `${basename(path).replace(/^\.+/, '')}-${hash}`)
}

/** The paths in a folder; reads and writes no file. */
export function describeFolder(path: string): PostgresFolder {
  const absolute = resolve(path)
  const inside = (name: string): string => join(absolute, name)
  return {
    path: absolute,
    data: inside('data'),
    password: inside('password'),
    port: inside('port'),
    url: inside('url'),
    log: inside('postgres.log'),
    run: inside('run.json'),
  }
}

/**
 * Claims a new folder, an empty one, or that of a former run.
 *
 * @throws SetupError when the folder has other contents, can't be written, or can't be reached by the user of Postgres
 */
export async function claimFolder(folder: PostgresFolder, user: RunAs | null): Promise<void> {
  const { path } = folder
  const marker = join(path, MARKER)
  try {
    if (!(await canReach(user, await nearestExisting(dirname(path))))) throw outOfReach(path)
    await createFolder(path)
    const names = await readdir(path)
    if (names.length > 0 && !names.includes(MARKER)) throw foreign(path)
    // The user of Postgres has to traverse the folder; the mode of the data keeps other users out.
    if (names.length === 0) await chmod(path, user === null ? 0o700 : 0o711)
    await writeFile(marker, EXPLANATION)
  } catch (cause) {
    if (cause instanceof SetupError) throw cause
    throw new SetupError(
      `The folder ${path} for the data of Postgres can't be written (${reason(cause)}).\n` +
        '  Make it writable, choose another with --folder, or set DATABASE_URL to a Postgres of yours.',
      { cause },
    )
  }
  if (!(await canReach(user, path))) throw outOfReach(path)
}

/** Level by level: `mkdir` of Node with `recursive` never returns in a folder like /proc. */
async function createFolder(path: string): Promise<void> {
  if (await isThere(path)) return
  await createFolder(dirname(path))
  await mkdir(path).catch((error: unknown) => {
    if (reason(error) !== 'EEXIST') throw error
  })
}

/** Deletes the data and the other entries of mqtt-status, and no other file. */
export async function emptyFolder(folder: PostgresFolder): Promise<void> {
  const { data, password, port, url, log, run } = folder
  for (const entry of [data, password, port, url, log, run])
    await rm(entry, { recursive: true, force: true })
}

/** A folder for a new cluster; it is renamed when the cluster is complete. */
export async function createDraft(folder: PostgresFolder, user: RunAs | null): Promise<string> {
  await removeOldDrafts(folder)
  const draft = join(folder.path, `${DRAFT}${randomBytes(6).toString('hex')}`)
  await mkdir(draft, { mode: 0o700 })
  if (user !== null) await chown(draft, user.uid, user.gid)
  return draft
}

/** Deletes the drafts of interrupted runs; another process may still write a draft of the last five minutes. */
async function removeOldDrafts({ path }: PostgresFolder): Promise<void> {
  const drafts = (await readdir(path)).filter((name) => name.startsWith(DRAFT))
  for (const draft of drafts.map((name) => join(path, name))) {
    const { mtimeMs } = await stat(draft)
    if (Date.now() - mtimeMs > DRAFT_MS) await rm(draft, { recursive: true, force: true })
  }
}

/** A new password, in a file that only the user of Postgres (and root) may read. */
export async function createPassword(folder: PostgresFolder, user: RunAs | null): Promise<void> {
  await rm(folder.password, { force: true })
  await writeFile(folder.password, randomBytes(24).toString('base64url'), { mode: 0o600 })
  if (user !== null) await chown(folder.password, user.uid, user.gid)
}

/** The major version of the cluster; `null` = no cluster. */
export async function clusterVersion(folder: PostgresFolder): Promise<string | null> {
  return (await readFile(join(folder.data, 'PG_VERSION'), 'utf8').catch(() => null))?.trim() ?? null
}

function outOfReach(path: string): SetupError {
  return new SetupError(
    `The folder ${path} can't be used for the data of Postgres: started as root, Postgres runs as the user\n` +
      '  "postgres", who can\'t reach it. Choose a folder that every user may traverse with --folder, start as an\n' +
      '  ordinary user, or set DATABASE_URL to a Postgres of yours.',
  )
}

function foreign(path: string): SetupError {
  return new SetupError(
    `The folder ${path} holds files of other programs, so the demo does not use it.\n` +
      '  Choose an empty or a new folder with --folder.',
  )
}

async function nearestExisting(path: string): Promise<string> {
  return (await isThere(path)) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (reason(error) !== 'ENOENT') throw error
      return false
    },
  )
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
