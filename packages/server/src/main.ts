#!/usr/bin/env node
/** The process edge: arguments, environment, signals, the exit code. */
import { readFileSync } from 'node:fs'
import { withholdDebugOutput } from './cli/debug-output.ts'
import type { Edge } from './cli/edge.ts'
import { listenForEnd } from './cli/ending.ts'
import { createProgram } from './cli/program.ts'
import { requireRuntime } from './cli/runtime.ts'
import { SetupError } from './errors.ts'

/** The process exits after this time, also while timers or sockets of libraries are open. */
const LINGER_MS = 500

function fail(error: unknown): never {
  if (error instanceof SetupError) process.stderr.write(`${error.message}\n`)
  else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`mqtt-status has failed, which is a fault of its own:\n${text}\n`)
  }
  process.exit(1)
}

for (const name of withholdDebugOutput())
  process.stderr.write(
    `${name} is ignored: debug output of libraries shows passwords and tokens.\n`,
  )

process.on('uncaughtException', fail).on('unhandledRejection', fail)
// The reader has ended, as in `mqtt-status serve --help | head`, or the terminal was closed.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

let signal: AbortSignal | null = null

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

const edge: Edge = {
  environment: process.env,
  version,
  terminal: process.stdout.isTTY,
  print(line) {
    process.stdout.write(`${line}\n`)
  },
  progress(line) {
    process.stderr.write(`${line}\n`)
  },
  signal: () => (signal ??= listenForEnd()),
}

try {
  requireRuntime(process.versions.node)
  await createProgram(edge).parseAsync()
} catch (error) {
  fail(error)
}
setTimeout(() => process.exit(), LINGER_MS).unref()
