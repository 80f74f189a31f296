/** What a shell makes of a documented command: bash runs the sample, with recorders in place of the programs. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The programs that samples may call. */
const PROGRAMS = ['mqtt-status', 'npx', 'npm', 'pnpm', 'curl', 'openssl']

export interface Call {
  readonly program: string
  readonly args: readonly string[]
}

export interface Shell {
  readonly calls: readonly Call[]
  /** Names of the variables that the sample sets, for itself or for one command. */
  readonly variables: readonly string[]
}

const RECORDER = `#!/bin/bash
printf '%s\\0' "\${0##*/}" "$@" >> "$CALLS"
printf '\\n' >> "$CALLS"
compgen -e >> "$VARIABLES"
`

/** What bash has set itself, and the recorders. */
const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...bash('compgen -v', {}).split('\n'),
  ...['CALLS', 'VARIABLES', 'PATH', 'OLDPWD', 'PIPESTATUS'],
])

/** @throws Error when bash can't read the sample, or when it calls a program that no sample calls */
export function runInShell(text: string): Shell {
  const folder = mkdtempSync(join(tmpdir(), 'sample-'))
  try {
    const [programs, calls, variables] = ['programs', 'calls', 'variables'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    mkdirSync(programs)
    for (const name of PROGRAMS) writeFileSync(join(programs, name), RECORDER, { mode: 0o755 })
    writeFileSync(calls, '')
    const environment = { PATH: programs, CALLS: calls, VARIABLES: variables }
    bash(`cd ${folder}\n${text}\ncompgen -v >> "$VARIABLES"\n`, environment)
    const names = new Set(readFileSync(variables, 'utf8').split('\n'))
    return {
      calls: readFileSync(calls, 'utf8')
        .split('\0\n')
        .filter((call) => call !== '')
        .map((call) => call.split('\0'))
        .map(([program = '', ...args]) => ({ program, args })),
      variables: [...names].filter((name) => !OWN_VARIABLES.has(name)),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function bash(script: string, env: Record<string, string>): string {
  // Where its input is a pipe, bash takes itself for a remote shell and reads the settings of the user.
  return execFileSync('/bin/bash', ['--norc', '-euc', script], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
