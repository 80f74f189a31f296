import { ESLint } from 'eslint'
import { expect, test } from 'vitest'

const eslint = new ESLint({ cwd: new URL('../..', import.meta.url).pathname })

async function rulesBroken(filePath: string, source: string): Promise<string[]> {
  const [result] = await eslint.lintText(source, { filePath })
  return (result?.messages ?? []).map((message) => message.ruleId ?? message.message)
}

// A gate that never fires looks just like a clean house, so each one is broken here on purpose.

test.each([
  ['packages/server/src/mqtt/supervisor.ts', '../db/postgres/sql.ts'],
  ['packages/server/src/dns/resolver.ts', '../mqtt/dial/dial-guard.ts'],
  ['packages/server/src/db/postgres/sql.ts', '../../hub/hub.ts'],
  ['packages/server/src/hub/hub.ts', '../http/app.ts'],
  ['packages/server/src/auth/scope.ts', '../hub/hub.ts'],
  ['packages/server/src/http/app.ts', '../mqtt/supervisor.ts'],
  ['packages/server/src/http/app.ts', '../management/management.ts'],
  ['packages/server/src/management/management.ts', '../http/app.ts'],
  ['packages/server/src/mqtt/supervisor.ts', '../ownership/permit.ts'],
  ['packages/server/src/db/ownership/leases.ts', '../../ownership/renewal.ts'],
  ['packages/server/src/management/management.ts', '../ownership/supervision.ts'],
  ['packages/server/src/ownership/term.ts', '../http/app.ts'],
  ['packages/server/src/ownership/term.ts', '../hub/hub.ts'],
  ['packages/server/src/server.ts', './mqtt/supervisor.ts'],
  ['packages/server/src/server.ts', './embedded/postgres.ts'],
  ['packages/server/src/log.ts', './config/config.ts'],
  ['packages/widgets/src/client/rows.ts', '../page/clock.ts'],
  ['packages/widgets/src/client/transport/fallback.ts', '../link/failures.ts'],
  ['packages/widgets/src/client/token/tokens.ts', '../transport/settings.ts'],
  ['packages/widgets/src/client/link/link.ts', '../rows.ts'],
  ['packages/widgets/src/page/clock.ts', '../controllers/connection.ts'],
  ['packages/widgets/src/controllers/connection.ts', '../elements/card/card.ts'],
  ['packages/widgets/src/events.ts', './controllers/news.ts'],
  ['packages/widgets/src/locales/time.ts', '../page/clock.ts'],
  ['packages/widgets/src/attributes/read.ts', '../page/clock.ts'],
  ['packages/widgets/src/elements/scene/scene.ts', '../parts/icons.ts'],
  ['packages/widgets/src/elements/parts/icons.ts', '../base/element.ts'],
  ['packages/widgets/src/elements/base/element.ts', '../card/card.ts'],
  ['packages/widgets/src/elements/badge/badge.ts', '../card/card.ts'],
  ['packages/widgets/src/elements/provider/provider.ts', '../scene/scene.ts'],
  ['packages/widgets/src/development/mistakes.ts', '../define/card.ts'],
])('%s may not import %s', async (file, target) => {
  expect(await rulesBroken(file, `import '${target}'\n`)).toContain('import-x/no-restricted-paths')
})

test('the server may not import the widgets, nor either of them a package it does not declare', async () => {
  expect(await rulesBroken('packages/widgets/src/client/rows.ts', `import 'postgres'\n`)).toContain(
    'import-x/no-extraneous-dependencies',
  )
})

test.each([
  ['packages/server/src/hub/hub.ts', 'hono'],
  ['packages/server/src/server.ts', 'postgres'],
  ['packages/server/src/mqtt/supervisor.ts', 'mqtt'],
  ['packages/server/src/mqtt/session/session.ts', 'ws'],
  ['packages/widgets/src/client/rows.ts', 'lit'],
])('%s may not import the package %s', async (file, target) => {
  expect(await rulesBroken(file, `import '${target}'\n`)).toContain('no-restricted-imports')
})

test.each([
  'await sql.begin(async () => undefined)',
  'await this.#sql.begin(async () => undefined)',
  'await pool.begin(async () => undefined)',
  'await database.sql.begin(async () => undefined)',
  'const one = await sql.reserve()',
])('a transaction of postgres.js is reported: %s', async (statement) => {
  const source = `class A { async b() { ${statement} } }`
  for (const file of [
    'db/postgres/transaction.ts',
    'db/schema/migrate.ts',
    'cli/storage.ts',
    'embedded/fleet.ts',
  ])
    expect(await rulesBroken(`packages/server/src/${file}`, source)).toContain(
      'no-restricted-syntax',
    )
})

test('only the process edge names the process', async () => {
  const source = 'export const home: unknown = process.env\n'
  expect(await rulesBroken('packages/server/src/server.ts', source)).toContain(
    'no-restricted-globals',
  )
  expect(await rulesBroken('packages/server/src/main.ts', source)).not.toContain(
    'no-restricted-globals',
  )
})

test('a circle of files is reported', async () => {
  // keeper.ts imports session-state.ts already; closing the loop must fail.
  const source = `import { Keeper } from '../keeper.ts'\nexport const loop: unknown = Keeper\n`
  expect(await rulesBroken('packages/server/src/mqtt/session/session-state.ts', source)).toContain(
    'import-x/no-cycle',
  )
})

test('a file that grows past the wall is reported', async () => {
  const source = Array.from({ length: 301 }, (_, i) => `export const line${i}: number = ${i}`).join(
    '\n',
  )
  expect(await rulesBroken('packages/server/src/server.ts', source)).toContain('max-lines')
})
