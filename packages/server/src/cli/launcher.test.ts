import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { findLaunchers, readFromProc, readFromPs, readProcess } from './launcher.ts'
import type { ListedProcess } from './launcher.ts'

/** The command lines from the parent upwards; the last one is a child of process 1. */
function family(...commands: readonly string[]): (pid: number) => Promise<ListedProcess | null> {
  const members = commands.map((command, index) => ({
    command,
    parent: index === commands.length - 1 ? 1 : 100 + index + 1,
  }))
  return (pid) =>
    Promise.resolve(pid === 1 ? { parent: 0, command: '/sbin/init' } : (members[pid - 100] ?? null))
}

const NPX_PNPM = 'node /root/.npm/_npx/a1a38f5f0f780954/node_modules/.bin/pnpm mqtt-status serve'

test.each([
  ['npm run', ['sh -c node main.js serve', 'npm run serve']],
  ['npm, without a title', ['sh -c node main.js serve', 'node /usr/bin/npm run serve']],
  ['npm-cli.js', ['sh -c x', '/usr/bin/node /usr/lib/node_modules/npm/bin/npm-cli.js run x']],
  ['npx', ["sh -c 'mqtt-status' serve", 'npm exec mqtt-status serve']],
  ['npx and pnpm', ['sh -c node main.js', NPX_PNPM, "sh -c 'pnpm' x", 'npm exec pnpm@10']],
  ['pnpm, whose script replaces the shell', ['node /usr/local/bin/pnpm mqtt-status serve']],
  [
    'pnpm as a program',
    ['/bin/sh -c node main.js serve', '/root/.local/share/pnpm/pnpm run serve'],
  ],
  ['pnpm.cjs', ['node /usr/lib/node_modules/corepack/dist/pnpm.js serve']],
  ['yarn', ['/bin/sh -c node main.js', 'node /usr/bin/yarn serve']],
  ['yarn of a project', ['node /srv/portal/.yarn/releases/yarn-4.5.0.cjs serve']],
  ['bun', ['bun run serve']],
  ['a starter of pnpm', ['/bin/sh /srv/app/node_modules/.bin/node main.js', 'npm run x']],
  ['a shell', ['bash -lc node main.js serve || exit 1']],
  ['a shell with options', ['/usr/bin/dash -e -c cd /srv; node main.js serve']],
  ['an address with an ampersand', ['sh -c DATABASE_URL="postgres://h/d?a=1&b=2" node main.js']],
  ['a shell that redirects', ['sh -c node main.js serve >log 2>&1 || exit', 'npm start']],
  ['a shell that goes on if it ends well', ['sh -c cd /srv && node main.js serve && echo done']],
])('%s waits, so its end counts', async (_name, commands) => {
  expect(await findLaunchers(100, family(...commands))).toEqual({
    kind: 'running',
    pids: commands.map((_command, index) => 100 + index),
  })
})

test.each([
  ['process 1', []],
  ['an interactive shell', ['-bash']],
  ['a script', ['/bin/sh ./start.sh']],
  ['a shell that goes on without it', ['sh -c node main.js serve &', 'npm run background']],
  ['a shell that goes on and does more', ['sh -c node main.js serve & echo $! > pid', 'npm run x']],
  ['nohup', ['sh -c nohup node main.js serve >log 2>&1 &']],
  ['setsid', ['sh -c setsid node main.js serve', 'npm run x']],
  ['a process manager', ['PM2 v5.4.2: God Daemon (/root/.pm2)', 'npm run x']],
  [
    'a test runner',
    ['node /srv/node_modules/vitest/dist/workers/forks.js', 'sh -c vitest', 'npm test'],
  ],
  ['systemd', ['/lib/systemd/systemd --user']],
  ['a supervisor', ['/usr/bin/python3 /usr/bin/supervisord -n']],
  ['containerd', ['/usr/bin/containerd-shim-runc-v2 -namespace moby']],
  ['another program with such a name', ['node /srv/npm-mirror/server.js']],
])('%s does not wait, so its end does not count', async (_name, commands) => {
  expect(await findLaunchers(100, family(...commands))).toEqual({ kind: 'running', pids: [] })
})

test('processes above the outermost launcher are not watched', async () => {
  const read = family('sh -c node main.js', 'npm start', 'bash', 'sh -c su', 'npm run shell')
  expect(await findLaunchers(100, read)).toEqual({ kind: 'running', pids: [100, 101] })
})

test.each([NPX_PNPM, `/bin/sh /srv/app/node_modules/.bin/${NPX_PNPM}`])(
  'npx counts as gone where process 1 is the parent of %s',
  async (command) => {
    const read = family('sh -c node main.js', command)
    expect(await findLaunchers(100, read)).toEqual({ kind: 'gone' })
  },
)

test.each([
  ...(process.platform === 'linux' ? [['/proc', readFromProc] as const] : []),
  ['ps', readFromPs] as const,
])('%s lists a real process with its parent and its words', async (_name, read) => {
  const child = spawn('sh', ['-c', 'read line; exit "0"'])
  expect(await read(child.pid ?? 0)).toEqual({
    parent: process.pid,
    command: 'sh -c read line; exit "0"',
  })
  child.stdin.end('\n')
  await once(child, 'exit')
})

test('a process that has ended is not listed', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  expect(await readProcess(process.platform)(child.pid ?? 0)).toBe(null)
})
