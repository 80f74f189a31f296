/** Ends a server at a signal, or at the end of the program that started it. Only the process edge uses this. */
import { findLaunchers, readProcess } from './launcher.ts'

/**
 * A second signal within this time is an echo of the first: a terminal and systemd send a signal to every process of the group, and npm and
 * pnpm forward the signals that they receive.
 */
const ECHO_MS = 1_000
/** Node has no event for the end of a process that is not its child, so the server polls. */
const WATCH_MS = 250

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * After this call the first signal aborts the returned signal, with its name as the reason, and a second one exits at once. The end of a
 * package manager, or of a shell with `-c`, that runs this process in the foreground counts as a first signal.
 */
export function listenForEnd(): AbortSignal {
  const ending = new AbortController()
  const isDetached = startedByNohup(process.env)
  let firstAt = 0
  const end = (reason: string): void => {
    firstAt = performance.now()
    ending.abort(reason)
  }
  for (const [name, number] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (name === 'SIGHUP' && isDetached) return
      if (!ending.signal.aborted) end(name)
      else if (performance.now() - firstAt > ECHO_MS) process.exit(128 + number)
    })
  }
  if (!isDetached) void watchLaunchers(end, ending.signal)
  return ending.signal
}

/** Node resets signals that nohup has ignored. The variable `_`, in which shells store the command, still names nohup. */
function startedByNohup(environment: NodeJS.ProcessEnv): boolean {
  return /(^|\/)nohup$/.test(environment['_'] ?? '')
}

async function watchLaunchers(end: (reason: string) => void, ended: AbortSignal): Promise<void> {
  const parent = process.ppid
  const launchers = await findLaunchers(parent, readProcess(process.platform))
  const isGone = (): boolean =>
    launchers.kind === 'gone' ||
    (launchers.pids.length > 0 && (process.ppid !== parent || !launchers.pids.every(isAlive)))
  const check = (): void => {
    if (ended.aborted || isGone()) clearInterval(timer)
    if (!ended.aborted && isGone()) end('the program that started this one has ended')
  }
  const timer = setInterval(check, WATCH_MS).unref()
  check()
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // The process runs as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
