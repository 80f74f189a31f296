/**
 * Postgres refuses to run as root. A process of root runs the programs as the user `postgres`, who has to reach the programs
 * and the data. This module finds or creates that user, and checks what the user can reach.
 */
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { platform, userInfo } from 'node:os'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { SetupError } from '../errors.ts'

/** The user that the programs run as. */
export interface RunAs {
  readonly uid: number
  readonly gid: number
}

const NAME = 'postgres'

/** The search path of an ordinary user often lacks the folders with the commands that create users. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

/** Each distribution has one of these commands. */
const CREATORS: readonly (readonly [string, ...string[]])[] = [
  ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/bin/false', NAME],
  ['adduser', '-S', '-D', '-H', '-s', '/bin/false', NAME],
]

const run = promisify(execFile)

/**
 * The user that Postgres runs as, created if it is missing; `null` = the user of this process, who is not root.
 *
 * @throws SetupError when the user does not exist and can not be created
 */
export async function postgresUser(): Promise<RunAs | null> {
  if (platform() === 'win32' || userInfo().uid !== 0) return null
  const known = await find()
  if (known !== null) return known
  for (const [command, ...args] of CREATORS) {
    await run(command, args, { env: ENVIRONMENT }).catch(() => undefined)
    const created = await find()
    if (created !== null) return created
  }
  throw new SetupError(
    `Postgres does not run as root, and the user "${NAME}" could not be created.\n` +
      `  Create it ("useradd --system ${NAME}"), start as an ordinary user, or set DATABASE_URL to a Postgres of yours.`,
  )
}

async function find(): Promise<RunAs | null> {
  try {
    const [uid, gid] = await Promise.all([id('-u'), id('-g')])
    return { uid, gid }
  } catch {
    return null
  }
}

async function id(which: '-u' | '-g'): Promise<number> {
  return Number((await run('id', [which, NAME], { env: ENVIRONMENT })).stdout)
}

/** Whether the user may traverse all parents of a folder, and the folder. */
export async function canReach(user: RunAs | null, folder: string): Promise<boolean> {
  if (user === null) return true
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null)
    if (found === null) return false
    if (found.isDirectory() && (found.mode & executeBit(user, found)) === 0) return false
    if (dirname(at) === at) return true
  }
}

function executeBit(user: RunAs, { uid, gid }: RunAs): number {
  if (user.uid === uid) return 0o100
  return user.gid === gid ? 0o010 : 0o001
}
