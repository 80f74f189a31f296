import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBinaries, findPackage } from '../../src/embedded/postgres-binaries.ts'
import { reachableFolder } from '../../src/embedded/postgres-folder.ts'
import { canReach } from '../../src/embedded/postgres-user.ts'

/** A user without files on this machine. */
const STRANGER = { uid: 54_321, gid: 54_321 }

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-status-reach-'))
  chmodSync(folder, 0o755)
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A checkout that only its owner may read, like one below the home of root. */
function closedFolder(): string {
  const closed = join(folder, 'closed')
  mkdirSync(closed, { mode: 0o700 })
  return closed
}

test('whether a user reaches a folder is decided by every folder above it', async () => {
  const inner = join(closedFolder(), 'inner')
  mkdirSync(inner)
  expect(await canReach(STRANGER, folder)).toBe(true)
  expect(await canReach(STRANGER, inner)).toBe(false)
  expect(await canReach(null, inner)).toBe(true)
  chmodSync(join(folder, 'closed'), 0o711)
  expect(await canReach(STRANGER, inner)).toBe(true)
})

test('where the user can not reach the folder, the data has a place named after the folder, the same one each time', async () => {
  const wanted = join(closedFolder(), '.demo')
  const place = join(folder, 'place')
  const chosen = await reachableFolder(wanted, STRANGER, place)
  expect(chosen).toMatch(/\/place\/demo-[0-9a-f]{8}$/)
  expect(await reachableFolder(wanted, STRANGER, place)).toBe(chosen)
  expect(await reachableFolder(join(folder, '.demo'), STRANGER, place)).toBe(join(folder, '.demo'))
  expect(await reachableFolder(wanted, null, place)).toBe(wanted)
})

test('programs in an unreachable checkout are copied once, completely, to a folder that the user can reach', async () => {
  const { folder: original, version } = findPackage()
  const source = { folder: join(closedFolder(), 'native'), version }
  await cp(original, source.folder, { recursive: true, verbatimSymlinks: true })
  const cache = join(folder, 'cache')
  // Two at once, as after a fresh clone.
  const [one, two] = await Promise.all([
    findBinaries(STRANGER, { source, cache }),
    findBinaries(STRANGER, { source, cache }),
  ])
  expect(one).toEqual(two)
  expect(readdirSync(cache)).toHaveLength(1)
  expect(await canReach(STRANGER, join(one.postgres, '..'))).toBe(true)
  // The test runs as root, and can run a command as that user.
  const user = userInfo().uid === 0 ? STRANGER : {}
  const { stdout } = await promisify(execFile)(one.postgres, ['--version'], user)
  expect(stdout).toContain(`PostgreSQL) ${one.major}`)
})

test('programs that the user can reach are used where they are', async () => {
  const { folder: original } = findPackage()
  const { initdb } = await findBinaries(null, { cache: join(folder, 'cache') })
  expect(initdb.startsWith(original)).toBe(true)
})
