/**
 * Finds the programs that started this process and wait for it: package managers, and the shells that they run commands in.
 * npm and pnpm do not forward signals past such a shell, and the shell dies of them alone. A server that did not watch them would
 * outlive them as an orphan that holds the port.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A process as the operating system lists it. */
export interface ListedProcess {
  readonly parent: number
  /** Its command line, words separated by spaces. */
  readonly command: string
}

/** Answers `null` for a process that has ended. */
export type ReadProcess = (pid: number) => Promise<ListedProcess | null>

export type Launchers =
  /** Nearest first; empty if the process was started by something else. */
  | { readonly kind: 'running'; readonly pids: readonly number[] }
  /** npx ended before the package manager that it runs had started this process. */
  | { readonly kind: 'gone' }

const PACKAGE_MANAGER =
  /^(npm|npx|pnpm|pnpx|yarn|yarnpkg|bun|bunx|corepack)(-cli|-[\d.]+)?(\.\w+)?$/
const SHELL_COMMAND = /^(?:\S*\/)?(?:ba|da|a|z|k)?sh (?:-\w+ )*-\w*c (.*)$/s
/** The starter that pnpm writes for a program of a package: it does not always replace itself by the program. */
const SHIM = /^(?:\S*\/)?(?:ba|da|a|z|k)?sh \S*\/node_modules\/\.bin\/\S+(?: |$)/
/** Where npx keeps what it runs. */
const NPX_CACHE = '/_npx/'

/** Walks up from the parent of this process, for as long as the ancestors are launchers that wait. */
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

/** npx waits for the package manager that it runs; where process 1 has inherited that one, npx has ended. */
function hasLostNpx({ parent, command }: ListedProcess): boolean {
  return parent === 1 && command.includes(NPX_CACHE)
}

/** Whether it is a launcher that runs its command in the foreground. */
function waits(command: string): boolean {
  const script = SHELL_COMMAND.exec(command)?.[1]
  if (script !== undefined) return !isDetaching(script)
  return SHIM.test(command) || isPackageManager(command)
}

/** Its name is the first word (npm sets its title), or that of a script which an interpreter runs. */
function isPackageManager(command: string): boolean {
  return command
    .split(' ', 2)
    .some((word) => PACKAGE_MANAGER.test(word.slice(word.lastIndexOf('/') + 1)))
}

/** Whether a shell script starts something that is to outlive it. */
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
