/**
 * The functions of docs/server-rendering.md, in their own languages, ask a real server and render what they get. A browser
 * shows their pages without scripts, before the script arrives, and after that.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintToken } from '../../packages/server/src/auth/tokens.ts'
import { launchBrowser } from '../../scripts/browser.ts'
import { ServerProcess } from '../e2e/world.ts'
import { block } from '../samples/documented.ts'
import { RenderedPortal } from './rendered-portal.ts'

const PAGE = 'docs/server-rendering.md'
const SECRET = 'a secret of at least thirty-two bytes'
/** A name that is markup where it is not escaped. */
const NAME = `Impianto <7> & "Söhne"`
const NOTHING_LISTENS = 'http://127.0.0.1:1'

interface Language {
  readonly language: string
  readonly file: string
  /** Appended to the documented functions: asks for the ids in `IDS` and prints a card for each, one a line. */
  readonly call: string
  readonly command: readonly [string, ...string[]]
}

const LANGUAGES: readonly Language[] = [
  {
    language: 'python',
    file: 'rendered.py',
    call: `
import os
given = os.environ
ids = given["IDS"].split(",")
rows = read_connections(given["URL"], given.get("TOKEN"), ids)
for each in ids:
    print(card(each, given["NAME"], rows.get(each)))`,
    // Debian's own Python is the one that has Debian's Django.
    command: ['/usr/bin/python3', '-I'],
  },
  {
    language: 'php',
    file: 'rendered.php',
    call: `
$ids = explode(',', getenv('IDS'));
$rows = read_connections(getenv('URL'), getenv('TOKEN') ?: null, $ids);
foreach ($ids as $id) echo card($id, getenv('NAME'), $rows[$id] ?? null), "\\n";`,
    command: ['php'],
  },
  {
    language: 'ruby',
    file: 'rendered.rb',
    call: `
# What Rails adds to texts.
String.define_method(:html_safe) { self }
ids = ENV["IDS"].split(",")
rows = read_connections(ENV["URL"], ENV["TOKEN"], ids)
ids.each { |id| puts card(id, ENV["NAME"], rows[id]) }`,
    command: ['ruby'],
  },
  {
    language: 'js',
    file: 'rendered.mjs',
    call: `
const { URL: url, TOKEN: token, IDS, NAME } = process.env
const ids = IDS.split(',')
const rows = await readConnections(url, token, ids)
for (const id of ids) console.log(card(id, NAME, rows.get(id)))`,
    command: [process.execPath],
  },
]

let database: TestDatabase
let server: ServerProcess
let portal: RenderedPortal
let browser: Browser
let token: string
let folder: string

beforeAll(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name, managed, status) values
      ('plant-7', 's1', 'Impianto 7', false, 'connected'),
      ('plant-8', 's2', 'Of another site', false, 'failed')`
  portal = await RenderedPortal.start()
  server = await ServerProcess.start({
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: portal.url,
    SUPERVISOR: 'off',
  })
  browser = await launchBrowser()
  token = await mintToken(
    { kind: 'secret', maxTtlS: 604_800, secret: SECRET },
    { subject: 'anna', sites: ['s1'], connections: [], can: ['view'], lifetimeS: 600 },
  )
  portal.token = token
  folder = await mkdtemp(join(tmpdir(), 'rendering-'))
  for (const { language, file, call } of LANGUAGES)
    await writeFile(join(folder, file), `${block(PAGE, language)}\n${call}\n`)
})

afterAll(async () => {
  await browser?.close()
  await server?.end('SIGTERM')
  await portal?.stop()
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

describe.each(LANGUAGES)('$language', ({ file, command: [program, ...args] }) => {
  /** The texts of two cards; the second connection is one that the token does not permit. */
  async function render(url: string, given: string | null): Promise<string[]> {
    const { stdout } = await promisify(execFile)(program, [...args, join(folder, file)], {
      env: {
        PATH: process.env['PATH'],
        LANG: 'C.UTF-8',
        URL: url,
        NAME,
        IDS: 'plant-7,plant-8',
        ...(given !== null && { TOKEN: given }),
      },
    })
    return stdout.trim().split('\n')
  }

  const card = (id: string, state: string): RegExp =>
    new RegExp(
      `^<mqtt-status-card connection-id="${id}">Impianto &lt;7&gt; &amp; &quot;Söhne&quot;${state}</mqtt-status-card>$`,
    )
  const names = [
    expect.stringMatching(card('plant-7', '')),
    expect.stringMatching(card('plant-8', '')),
  ]

  test('renders the state of what the token permits, and escapes names', async () => {
    expect(await render(server.url, token)).toEqual([
      expect.stringMatching(card('plant-7', '<span slot="before">: connected</span>')),
      names[1],
    ])
  })

  test.each([
    ['a token that the server refuses', 'no token', () => server.url],
    ['no token, where the server wants one', null, () => server.url],
    ['no server', 'no token', () => NOTHING_LISTENS],
  ])('with %s it renders the names', async (_, given, url) => {
    expect(await render(url(), given)).toEqual(names)
  })

  test('a browser shows the state without scripts and before the script, and nothing moves when it arrives', async () => {
    const [first = ''] = await render(server.url, token)
    // The rows are observed, so their cards have no button.
    portal.show(server.url, first.replace(' ', ' controls="none" '))
    const withState = `${NAME}: connected`

    const still = await portal.visit(browser, { javaScriptEnabled: false })
    expect(await still.shown()).toEqual({ text: withState, isVisible: true })
    await still.close()

    const visitor = await portal.visit(browser, { holdsScript: true })
    expect(await visitor.shown()).toEqual({ text: withState, isVisible: true })
    const before = await visitor.places()
    await visitor.releaseScript()
    await visitor.page.locator('mqtt-status-card:state(connected):state(link-live)').waitFor()
    // The name of the row, without the state.
    await visitor.page.getByRole('group', { name: 'Impianto 7', exact: true }).waitFor()
    expect(await visitor.places()).toEqual(before)
    expect(await visitor.shifts()).toEqual([])
    await visitor.close()
  })
})
