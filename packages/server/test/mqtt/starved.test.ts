import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Broker } from '@mqtt-status/testing/broker'
import { expect, test } from 'vitest'
import { atEnd, kept } from './stage.ts'

const SCRIPT = fileURLToPath(new URL('./starved.ts', import.meta.url))

interface Seen {
  readonly taken: number
  readonly written: readonly string[]
  readonly probed: readonly string[]
  readonly secret: string
  readonly again: string
}

test('without a file descriptor left, dials, lookups and secrets fail with a fault of this server, and continue once there are some', async () => {
  const broker = kept(await Broker.start())
  const folder = mkdtempSync(join(tmpdir(), 'starved-'))
  atEnd(() => Promise.resolve(rmSync(folder, { recursive: true })))
  writeFileSync(join(folder, 'secret'), 'hunter2')
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    'ulimit -n 64 && exec "$0" "$@"',
    process.execPath,
    SCRIPT,
    String(broker.port),
    folder,
  ])
  const { taken, written, probed, secret, again } = JSON.parse(stdout) as Seen
  expect(taken).toBeGreaterThan(10)
  expect(probed).toEqual(['local_resources', 'local_resources'])
  expect([secret, again]).toEqual(['machine', 'hunter2'])
  // Connections that were up have stayed up; all others have a fault of this server as their reason.
  expect(written.filter((line) => line.startsWith('up '))).toEqual([
    'up connecting/command',
    'up connected/ok',
  ])
  const reasons = new Set(written.map((line) => line.replace(/^\S+ /, '')))
  expect([...reasons].toSorted()).toEqual([
    'connected/ok',
    'connecting/command',
    'reconnecting/local_resources',
  ])
})
