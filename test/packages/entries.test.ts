/** Every entry of every published package, installed outside of the workspace: its types, in Node, and in a bundle. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { Declarations } from './declarations.ts'
import { published } from '../../scripts/packages.ts'
import { entriesOf } from './entries.ts'
import type { Entry } from './entries.ts'
import { Project } from './project.ts'

const PACKAGES = published().map(({ manifest }) => manifest)
const ENTRIES = PACKAGES.flatMap(entriesOf)
const MODULES = ENTRIES.filter(({ kind }) => kind === 'module')

const PROJECTS = {
  /** Entries for a framework need the framework. */
  empty: ENTRIES.filter(({ peer }) => peer === null),
  stranger: ENTRIES,
} as const

function use({ specifier, kind }: Entry): string {
  if (kind === 'css') return `import '${specifier}'\n`
  const from =
    kind === 'json'
      ? `entry from '${specifier}' with { type: 'json' }`
      : `* as entry from '${specifier}'`
  return `import ${from}\nexport const used: object = entry\n`
}

test('all published packages and their entries are here', () => {
  expect(PACKAGES.map(({ name }) => name)).toEqual(['@mqtt-status/server', '@mqtt-status/widgets'])
  expect(ENTRIES.length).toBeGreaterThan(15)
})

test('every published package is linted as npm would deliver it', () => {
  for (const { name, scripts } of PACKAGES)
    expect(scripts?.['lint:package'], name).toMatch(/publint --strict && attw --pack /)
})

test('npm delivers the licence texts of the packages that the single file contains', () => {
  const folder = join(inject('empty'), 'node_modules')
  const widgets = join(folder, '@mqtt-status/widgets')
  const texts = readFileSync(join(widgets, 'THIRD_PARTY_NOTICES'), 'utf8')
  const file = readFileSync(join(widgets, 'cdn/mqtt-status.js'), 'utf8')
  const named = [...file.matchAll(/^ \* (\S+) [\d.]+ \([\w-]+\) Copyright/gm)].map(
    ([, name]) => name ?? '',
  )
  expect(named).toContain('lit-html')
  expect(named).toContain('reconnecting-websocket')
  for (const name of named)
    expect(texts, name).toContain(readFileSync(join(folder, name, 'LICENSE'), 'utf8').trim())
})

describe.each(['empty', 'stranger'] as const)('in the %s project', (name) => {
  test.each(['bundler', 'nodenext'])(
    'every entry passes a strict type check with moduleResolution %s',
    async (moduleResolution) => {
      const project = new Project(inject(name))
      const folder = `types-${moduleResolution}`
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable'],
        module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
        moduleResolution,
        resolveJsonModule: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
      }
      const files = PROJECTS[name].map((entry, at) => [`${folder}/entry-${at}.ts`, use(entry)])
      project.write({
        ...Object.fromEntries(files),
        [`${folder}/tsconfig.json`]: JSON.stringify({ compilerOptions, include: ['.'] }),
      })
      expect(await project.run('tsc', '-p', folder)).toEqual({ ok: true, output: '' })
    },
  )
})

/** What is there at run time, entry by entry, as Node sees it. */
const IMPORT_ALL = `
  const names = {}
  for (const specifier of process.argv.slice(1))
    names[specifier] = Object.keys(await import(specifier)).toSorted()
  console.log(JSON.stringify(names))
`

describe('the declarations', () => {
  const specifiers = MODULES.map(({ specifier }) => specifier)
  let declarations: Declarations
  beforeAll(() => {
    declarations = new Declarations(inject('stranger'), specifiers)
  })

  test('Node imports every module, and finds the names that the declarations promise', async () => {
    const project = new Project(inject('stranger'))
    const evaluate = ['--input-type=module', '--eval', IMPORT_ALL]
    const { ok, output } = await project.run('node', ...evaluate, ...specifiers)
    expect(ok, output).toBe(true)
    expect(JSON.parse(output)).toEqual(
      Object.fromEntries(declarations.entries.map(({ specifier, values }) => [specifier, values])),
    )
  })

  test.each(specifiers)('%s exports every type that its own exports mention', (specifier) => {
    const entry = declarations.entries.find((one) => one.specifier === specifier)
    const module = MODULES.find((one) => one.specifier === specifier)
    // What a framework adds stands beside the elements: a user imports their types from the package itself.
    const others =
      module?.peer == null
        ? []
        : declarations.entries.filter((one) => one.specifier === module.packageName)
    expect(entry && declarations.unnamed(entry, others)).toEqual([])
  })
})

test.each(['production', 'development'])('Vite bundles every entry for %s', async (mode) => {
  const project = new Project(inject('stranger'))
  const folder = `bundle-${mode}`
  const browser = ENTRIES.filter(({ packageName }) => packageName !== '@mqtt-status/server')
  const node = ENTRIES.filter((entry) => !browser.includes(entry))
  for (const [target, entries] of Object.entries({ browser, node })) {
    const name = `${folder}-${target}`
    const input = Object.fromEntries(entries.map((_, at) => [`entry-${at}`, `entry-${at}.ts`]))
    project.write({
      ...Object.fromEntries(entries.map((entry, at) => [`${name}/entry-${at}.ts`, use(entry)])),
      [`${name}/vite.config.js`]: `export default ${JSON.stringify({
        logLevel: 'warn',
        mode,
        ...(target === 'node' ? { ssr: { noExternal: true, target: 'node' } } : {}),
        build: {
          ...(target === 'node' ? { ssr: true } : {}),
          rolldownOptions: {
            input,
            preserveEntrySignatures: 'strict',
            // Vite's plugin for React turns off this warning about 'use client' too.
            checks: { moduleLevelDirective: false },
          },
        },
      })}`,
    })
    const built = await project.runIn(name, 'vite', 'build')
    expect(built).toEqual({ ok: true, output: '' })
  }
})
