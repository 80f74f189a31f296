/** No sample of the documentation is left out: each belongs to a rule, and the rules for shells, JSON, units and drawings are here. */
import { existsSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { parseMessage } from '../../packages/server/src/http/messages.ts'
import { faultsOf } from '../samples/command-line.ts'
import { allBlocks, nameOf, pages, readPage } from '../samples/documented.ts'
import type { Block } from '../samples/documented.ts'
import { runInShell } from '../samples/shell.ts'

const ROOT = new URL('../../', import.meta.url)

/** Which test checks samples of a language, everywhere or on one page. */
interface Rule {
  readonly language: string
  readonly page?: string
  readonly by: string
}

const HERE = 'test/house/samples.test.ts'
const COMPILED = 'test/packages/samples.test.ts'
const BROWSED = 'test/e2e/samples.test.ts'
const SIGNED = { page: 'docs/tokens.md', by: 'test/system/tokens.test.ts' }
const RENDERED = { page: 'docs/server-rendering.md', by: 'test/system/server-rendering.test.ts' }
const PROXIED = { page: 'docs/reverse-proxies.md', by: 'test/system/proxy-programs.ts' }

const RULES: readonly Rule[] = [
  ...['sh', 'json', 'text'].map((language) => ({ language, by: HERE })),
  { language: 'ini', page: 'docs/operations.md', by: HERE },
  { language: 'ini', page: 'docs/database.md', by: 'test/system/pgbouncer.test.ts' },
  ...['ts', 'tsx', 'js', 'jsx', 'vue', 'svelte'].map((language) => ({ language, by: COMPILED })),
  { language: 'astro', by: 'test/packages/astro.test.ts' },
  ...['html', 'css', 'http', 'csv'].map((language) => ({ language, by: BROWSED })),
  ...['python', 'php', 'ruby'].flatMap((language) => [
    { language, ...SIGNED },
    { language, ...RENDERED },
  ]),
  ...['nginx', 'caddyfile', 'haproxy', 'apache'].map((language) => ({ language, ...PROXIED })),
  { language: 'sql', by: 'packages/server/test/docs/sql.test.ts' },
  {
    language: 'psql',
    page: 'docs/database.md',
    by: 'packages/server/test/faults/replication.test.ts',
  },
  {
    language: 'psql',
    page: 'docs/attach-replicated.md',
    by: 'test/system/attach-replicated.test.ts',
  },
]

function blocks(language: string): { name: string; block: Block }[] {
  return allBlocks()
    .filter((block) => block.language === language)
    .map((block) => ({ name: nameOf(block), block }))
}

test.each(allBlocks().map((block) => ({ name: nameOf(block), block })))(
  '$name is checked by a test',
  ({ block: { language, page, line } }) => {
    const rules = RULES.filter((rule) => rule.language === language && (rule.page ?? page) === page)
    expect(rules, `no test checks the sample at ${page}:${line}`).toHaveLength(1)
  },
)

test.each(RULES)('$by checks samples of $language', ({ by, language }) => {
  expect(existsSync(new URL(by, ROOT))).toBe(true)
  expect(readFileSync(new URL(by, ROOT), 'utf8')).toMatch(new RegExp(`(['\`])${language}\\b`))
})

describe('shell', () => {
  test.each(blocks('sh'))('$name calls only what there is', ({ block }) => {
    const shell = runInShell(block.text)
    expect(shell.calls.length + shell.variables.length).toBeGreaterThan(0)
    expect(faultsOf(shell)).toEqual([])
  })

  test.each(spans())('$page: `$text` is a command that there is', ({ text }) => {
    expect(faultsOf(runInShell(text))).toEqual([])
  })

  test.each([
    ['mqtt-status sreve', 'mqtt-status has no command "sreve"'],
    ['mqtt-status connections import a.csv b.csv', 'import takes 1 operands'],
    ['mqtt-status serve --prot 1', 'serve has no --prot'],
    ['npx -y pnpm@10 biuld', 'package.json has no script "biuld"'],
    ['DATABSE_URL=x mqtt-status serve', 'DATABSE_URL is no setting'],
    ['export DATABSE_URL=x', 'DATABSE_URL is no setting'],
  ])('the mistake in `%s` is found', (text, fault) => {
    expect(faultsOf(runInShell(text))).toContain(fault)
  })
})

/** Commands within sentences; one with an ellipsis is no whole command. */
function spans(): { page: string; text: string }[] {
  const found = pages().flatMap((page) =>
    [
      ...readPage(page)
        .replace(/^```.*?^```/gms, '')
        .matchAll(/`([^`]+)`/g),
    ].map(([, text = '']) => ({ page, text: text.replace(/\s+/g, ' ') })),
  )
  const commands = /^([A-Z_]+=\S+ )*(mqtt-status|npx|npm|pnpm) [a-z-]/
  const whole = found.filter(({ text }) => commands.test(text) && !/…|[|<]/.test(text))
  return [...new Map(whole.map((span) => [span.page + span.text, span])).values()]
}

describe('JSON', () => {
  const MEANINGS: Readonly<Record<string, string>> = {
    'A row': 'Connection',
    'WebSocket, client to server': 'ClientMessage',
    'WebSocket, server to client': 'ServerMessage',
  }
  const found = blocks('json').flatMap(({ name, block }) =>
    objectsIn(block.text).map((text) => ({ name, text, type: MEANINGS[block.heading] ?? '' })),
  )

  test.each(found)('$name: $text is JSON of a known kind', ({ text, type }) => {
    expect(JSON.parse(text)).toBeTypeOf('object')
    expect(type).not.toBe('')
  })

  test.each(found.filter(({ type }) => type === 'ClientMessage'))(
    '$name: the server understands $text',
    ({ text }) => {
      expect(parseMessage(text)).toEqual(JSON.parse(text))
    },
  )

  test('every sample has the type of the protocol, and every type of message has a sample', () => {
    const constants = found.map(({ text, type }, at) => `export const m${at}: ${type} = ${text}`)
    const complete = ['ClientMessage', 'ServerMessage'].map((union) => {
      const types = found
        .filter(({ type }) => type === union)
        .map(({ text }) => `'${(JSON.parse(text) as { type: string }).type}'`)
      return `export const all${union}: Exclude<${union}['type'], ${types.join(' | ')}>[] = [] satisfies never[]
export const no${union}: [Exclude<${union}['type'], ${types.join(' | ')}>] extends [never] ? true : false = true`
    })
    expect(errorsIn([...constants, ...complete].join('\n'))).toEqual([])
    expect(errorsIn(`export const wrong: ServerMessage = {"type":"pong"}`)).toHaveLength(1)
  })
})

/** The objects of a block, one after the other; `[…]` is a list that is left out. */
function objectsIn(text: string): string[] {
  const objects: string[] = []
  let depth = 0
  let start = 0
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{' && depth++ === 0) start = index
    if (token === '}' && --depth === 0) objects.push(text.slice(start, index + 1))
  }
  return objects.map((each) => each.replaceAll('[…]', '[]'))
}

/** Type errors of a file beside the sources of the protocol. */
function errorsIn(text: string): string[] {
  const file = new URL('packages/protocol/src/samples.ts', ROOT).pathname
  const source = `import type { ClientMessage, Connection, ServerMessage } from './index.ts'\n${text}`
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true)
      : getSourceFile(name, ...rest)
  const program = ts.createProgram([file], options, host)
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}

test.each(blocks('ini').filter(({ block }) => block.page === 'docs/operations.md'))(
  '$name is a unit of systemd that runs a command of ours',
  ({ block }) => {
    const lines = block.text.trim().split('\n')
    const keys = lines.flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? [])
    expect(lines[0]).toBe('[Service]')
    expect(keys).toHaveLength(lines.length - 1)
    const [, command = ''] = /^ExecStart=\S*\/(.+)$/m.exec(block.text) ?? []
    expect(faultsOf(runInShell(command))).toEqual([])
    expect(keys).toEqual(['ExecStart', 'EnvironmentFile', 'TimeoutStopSec', 'Restart'])
  },
)

test.each(blocks('text'))('$name is a drawing', ({ block }) => {
  expect(block.text).toMatch(/─.*▶/)
})
