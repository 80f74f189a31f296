/** Real local ports that run out, in a network namespace of its own. */
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SCRIPT = fileURLToPath(new URL('./crowded.ts', import.meta.url))

/** The command that gives a process a network of its own; `null` if this machine does not allow it. */
const NAMESPACE = [['--net'], ['--user', '--map-root-user', '--net']].find(
  (flags) =>
    spawnSync('unshare', [...flags, 'sh', '-c', 'ip link set lo up || ifconfig lo up']).status ===
    0,
)

interface Seen {
  readonly exhausted: number
  readonly details: readonly (string | null)[]
  readonly probed: string
  readonly written: readonly string[]
}

test.runIf(NAMESPACE !== undefined)(
  'without a local port left, dials fail with a fault of this server, affect no other broker, and continue once there are some',
  async () => {
    const { stdout } = await promisify(execFile)('unshare', [
      ...(NAMESPACE ?? []),
      'sh',
      '-c',
      '{ ip link set lo up || ifconfig lo up; } && exec "$0" "$@"',
      process.execPath,
      SCRIPT,
    ])
    const { exhausted, details, probed, written } = JSON.parse(stdout) as Seen
    expect(exhausted).toBe(4)
    for (const detail of details) expect(detail).toMatch(/EADDRNOTAVAIL|EADDRINUSE/)
    expect(probed).toBe('local_ports_exhausted')
    // Every failure is this fault of the server: no gate has closed, and no failure is attributed to a broker.
    const said = new Set(
      written.map((line) => line.replace(/^\S+ /, '')).filter((line) => !/command$/.test(line)),
    )
    expect([...said].toSorted()).toEqual(['connected/ok', 'reconnecting/local_ports_exhausted'])
    // A status that the next one follows at once is not written.
    const neighbour = written.filter((line) => /^neighbour .*(?<!command)$/.test(line))
    expect(neighbour).toEqual(['neighbour connected/ok'])
  },
)
