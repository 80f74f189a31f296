#!/usr/bin/env node
/** The process edge: arguments, environment, signals, the exit code. */
import { readFileSync } from 'node:fs'
import type { Edge } from './cli/edge.ts'
import { createProgram } from './cli/program.ts'
import { requireRuntime } from './cli/runtime.ts'
import { SetupError } from './errors.ts'

/** npm hands a Ctrl-C on to a process that the terminal has told already; that is not impatience. */
const ECHO_MS = 100
/** What still runs when everything is done is not waited for. */
const LINGER_MS = 500

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

function listenToSignals(): AbortSignal {
  const ending = new AbortController()
  let firstAt = 0
  for (const [name, number] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (!ending.signal.aborted) {
        firstAt = performance.now()
        ending.abort()
      } else if (performance.now() - firstAt > ECHO_MS) {
        process.exit(128 + number)
      }
    })
  }
  return ending.signal
}

function fail(error: unknown): never {
  if (error instanceof SetupError) process.stderr.write(`${error.message}\n`)
  else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`mqtt-status has failed, which is a fault of its own:\n${text}\n`)
  }
  process.exit(1)
}

process.on('uncaughtException', fail).on('unhandledRejection', fail)
// A reader that has gone away, as in `mqtt-status serve --help | head`.
process.stdout.on('error', () => undefined)

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
  signal: () => (signal ??= listenToSignals()),
}

try {
  requireRuntime(process.versions.node)
  await createProgram(edge).parseAsync()
} catch (error) {
  fail(error)
}
setTimeout(() => process.exit(), LINGER_MS).unref()
