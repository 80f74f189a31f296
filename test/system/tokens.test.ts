/** The functions of docs/tokens.md sign tokens in the portal's own language; the server's own check accepts them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createVerify } from '../../packages/server/src/auth/tokens.ts'
import { blocksOf } from '../samples/documented.ts'

const SECRET = 'a-secret/of+at-least=thirty-two-bytes'
const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
const server = new URL('../../packages/server/', import.meta.url).pathname

interface Language {
  readonly language: string
  readonly file: string
  /** Appended to the documented function: prints what it answers, as JSON. */
  readonly call: string
  readonly command: readonly [string, ...string[]]
}

const LANGUAGES: readonly Language[] = [
  {
    language: 'python',
    file: join(folder, 'token.py'),
    call: 'import json\nprint(json.dumps(mqtt_token(7, ["s1", "s2"], control=True)))',
    // Debian's own Python is the one that has Debian's PyJWT.
    command: ['/usr/bin/python3', '-I'],
  },
  {
    language: 'php',
    file: join(folder, 'token.php'),
    call: "echo json_encode(mqtt_token('7', ['s1', 's2'], true));",
    command: ['php'],
  },
  {
    language: 'ruby',
    file: join(folder, 'token.rb'),
    call: 'require "json"\nputs mqtt_token(7, ["s1", "s2"], control: true).to_json',
    command: ['ruby'],
  },
  {
    language: 'ts',
    file: join(folder, 'token.ts'),
    call: "console.log(JSON.stringify(await mqttToken('7', ['s1', 's2'], true)))",
    command: [process.execPath, '--input-type=module-typescript', '-'],
  },
]

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test.each(LANGUAGES)(
  'the $language function signs a token that the server accepts',
  async ({ language, file, call, command: [program, ...args] }) => {
    const [documented] = blocksOf('docs/tokens.md').filter((block) => block.language === language)
    if (documented === undefined) throw new Error(`docs/tokens.md has no ${language} block`)
    const source = `${documented.text}\n${call}\n`
    writeFileSync(file, source)
    // Node resolves `jose` from the folder of the server's package, and reads the module from its input.
    const fromInput = args.includes('-')
    const printed = execFileSync(program, fromInput ? args : [...args, file], {
      cwd: server,
      env: { PATH: process.env['PATH'], AUTH_JWT_SECRET: SECRET },
      encoding: 'utf8',
      ...(fromInput && { input: source }),
    })
    const { token, expiresIn } = JSON.parse(printed) as { token: string; expiresIn: number }
    const scope = await createVerify({ kind: 'secret', maxTtlS: 604_800, secret: SECRET })(token)
    expect(expiresIn).toBe(600)
    expect(scope).toMatchObject({
      subject: '7',
      sites: new Set(['s1', 's2']),
      connections: new Set(),
      can: ['view', 'control'],
    })
    expect(scope.expiresAt).toBeGreaterThan(Date.now() + 500_000)
  },
)

/** The view needs Django, so Python only reads it. */
test.each(blocksOf('docs/tokens.md').filter(({ language }) => language === 'python'))(
  '$page:$line: Python reads the sample',
  ({ text }) => {
    const read = 'import ast, sys; ast.parse(sys.stdin.read())'
    execFileSync('/usr/bin/python3', ['-I', '-c', read], { input: text })
  },
)
