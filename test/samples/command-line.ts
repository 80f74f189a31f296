/** Whether a command of the documentation is one that the program has. */
import { readFileSync } from 'node:fs'
import { createProgram } from '../../packages/server/src/cli/program.ts'
import { SETTINGS } from '../../packages/server/src/config/settings.ts'
import type { Call, Shell } from './shell.ts'

type Command = ReturnType<typeof createProgram>

const ROOT = new URL('../../', import.meta.url)
const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  scripts: Record<string, string>
}
/** The packages that only the demo needs. */
const { peerDependencies } = JSON.parse(
  readFileSync(new URL('packages/server/package.json', ROOT), 'utf8'),
) as { peerDependencies: Record<string, string> }
/** Variables of Node and of the shell that the documentation has to name. */
const FOREIGN = ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'PATH']
const VARIABLES = new Set([...SETTINGS.map(({ variable }) => variable), ...FOREIGN])

/** @returns what is wrong, in words; none if nothing is */
export function faultsOf({ calls, variables }: Shell): string[] {
  return [
    ...calls.flatMap(faultsOfCall),
    ...variables.filter((name) => !VARIABLES.has(name)).map((name) => `${name} is no setting`),
  ]
}

function faultsOfCall({ program, args }: Call): string[] {
  switch (program) {
    case 'mqtt-status':
      return faultsOfOurs(args)
    case 'npx':
      return faultsOfNpx(args)
    case 'pnpm':
      return faultsOfScript(args)
    case 'npm':
      return args.filter((word) => !isOfNpm(word)).map((word) => `npm ${word} is not documented`)
    default:
      // Run for real where the sample is.
      return []
  }
}

function isOfNpm(word: string): boolean {
  return /^(install|--global|-g)$/.test(word) || isPublished(word) || word in peerDependencies
}

function faultsOfNpx(args: readonly string[]): string[] {
  const [first = '', ...rest] = args.filter((word) => word !== '-y')
  if (first === 'pnpm@10') return faultsOfScript(rest)
  if (first === 'mqtt-status' || isPublished(first)) return faultsOfOurs(rest)
  return [`npx ${first} is not documented`]
}

function faultsOfScript([name = '', ...rest]: readonly string[]): string[] {
  if (name === '--silent') return faultsOfScript(rest)
  if (name === 'mqtt-status') return faultsOfOurs(rest)
  if (name === '--filter') return []
  if (!Object.hasOwn(scripts, name)) return [`package.json has no script "${name}"`]
  return name === 'start' ? faultsOfOurs(['demo', ...rest]) : []
}

function isPublished(name: string): boolean {
  return ['@mqtt-status/server', '@mqtt-status/widgets'].includes(name)
}

function faultsOfOurs(args: readonly string[]): string[] {
  let command: Command = program()
  const words = [...args]
  while (command.commands.length > 0 && words[0] !== undefined && !words[0].startsWith('-')) {
    const name = words.shift() ?? ''
    const found = command.commands.find((each) => each.name() === name)
    if (found === undefined) return [`${command.name()} has no command "${name}"`]
    command = found
  }
  return faultsOfWords(command, words)
}

function faultsOfWords(command: Command, words: string[]): string[] {
  const faults: string[] = []
  let operands = 0
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('-')) {
      operands++
      continue
    }
    const option = command.options.find(({ long, short }) => word === long || word === short)
    if (option === undefined && word !== '--help') faults.push(`${command.name()} has no ${word}`)
    if (option?.required && words.shift() === undefined) faults.push(`${word} needs a value`)
  }
  if (operands > command.registeredArguments.length)
    faults.push(`${command.name()} takes ${command.registeredArguments.length} operands`)
  return faults
}

function program(): Command {
  return createProgram({
    environment: {},
    version: '0.0.0',
    terminal: false,
    progress: () => undefined,
    print: () => undefined,
    signal: () => new AbortController().signal,
  })
}
