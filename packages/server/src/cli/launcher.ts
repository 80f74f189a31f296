/**
 * Finds the programs that started this process and wait for it: package managers, and the shells that they run commands in.
 * npm and pnpm do not forward signals past such a shell; only the shell ends. A server that did not watch them would then
 * continue as an orphan and keep the port.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A process as the operating system lists it. */
export interface ListedProcess {
  readonly parent: number
  /** The command line, with spaces between the words. */
  readonly command: string
}

/** Answers `null` for a process that has ended. */
export type ReadProcess = (pid: number) => Promise<ListedProcess | null>

export type Launchers =
  /** Nearest first; empty if another kind of program has started the process. */
  | { readonly kind: 'running'; readonly pids: readonly number[] }
  /** npx ended before the package manager that it runs had started this process. */
  | { readonly kind: 'gone' }

const PACKAGE_MANAGER =
  /^(npm|npx|pnpm|pnpx|yarn|yarnpkg|bun|bunx|corepack)(-cli|-[\d.]+)?(\.\w+)?$/
const SHELL_COMMAND = /^(?:\S*\/)?(?:ba|da|a|z|k)?sh (?:-\w+ )*-\w*c (.*)$/s
/** The shell script that pnpm writes for a program of a package; it does not always `exec` the program. */
const SHIM = /^(?:\S*\/)?(?:ba|da|a|z|k)?sh \S*\/node_modules\/\.bin\/\S+(?: |$)/
/** The folder in which npx installs packages. */
const NPX_CACHE = '/_npx/'

/** Walks up from the parent of this process while the ancestors are launchers that wait. */
export async function findLaunchers(parent: number, read: ReadProcess): Promise<Launchers> {
  const pids: number[] = []
  let outermost: ListedProcess | null = null
  for (let pid = parent; pid > 0;) {
    const found = await read(pid)
    if (found === null || !waits(found.command)) break
    pids.push(pid)
    outermost = found
    pid = found.parent
  }
  return outermost !== null && hasLostNpx(outermost) ? { kind: 'gone' } : { kind: 'running', pids }
}

/** npx waits for the package manager that it runs; if process 1 is the parent of that one, npx has ended. */
function hasLostNpx({ parent, command }: ListedProcess): boolean {
  return parent === 1 && command.includes(NPX_CACHE)
}

/** Whether the command line is that of a launcher that runs its command in the foreground. */
function waits(command: string): boolean {
  const script = SHELL_COMMAND.exec(command)?.[1]
  if (script !== undefined) return !isDetaching(script)
  return SHIM.test(command) || isPackageManager(command)
}

/** The name is the first word (npm sets its title), or the second where an interpreter runs a script. */
function isPackageManager(command: string): boolean {
  return command
    .split(' ', 2)
    .some((word) => PACKAGE_MANAGER.test(word.slice(word.lastIndexOf('/') + 1)))
}

/** Whether a shell script starts a process that continues after the shell. */
function isDetaching(script: string): boolean {
  const unquoted = script.replace(/'[^']*'|"[^"]*"/g, '')
  return /(?<![&>])&(?![&>])/.test(unquoted) || /\b(nohup|setsid|disown|daemonize)\b/.test(unquoted)
}

/** Reads a process from `/proc` on Linux, where images often have no `ps`, and from `ps` elsewhere. */
export function readProcess(platform: NodeJS.Platform): ReadProcess {
  switch (platform) {
    case 'linux':
      return orNull(readFromProc)
    case 'win32':
      return () => Promise.resolve(null)
    default:
      return orNull(readFromPs)
  }
}

export async function readFromProc(pid: number): Promise<ListedProcess> {
  const [stat, command] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
  ])
  // pid (name) state parent …; the name may contain anything.
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ', 3)[2])
  return { parent, command: command.replaceAll('\0', ' ').trim() }
}

export async function readFromPs(pid: number): Promise<ListedProcess> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=,args=', '-p', String(pid)])
  const [, parent, command = ''] = /^\s*(\d+)\s+(.*)$/s.exec(stdout.trimEnd()) ?? []
  return { parent: Number(parent), command }
}

function orNull(read: (pid: number) => Promise<ListedProcess>): ReadProcess {
  return (pid) => read(pid).catch(() => null)
}
