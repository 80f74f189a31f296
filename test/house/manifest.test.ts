import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { WORDS } from '../../packages/widgets/src/attributes/words.ts'

const WIDGETS = fileURLToPath(new URL('../../packages/widgets', import.meta.url))

interface Entry {
  readonly name?: string
  readonly description?: string
}

interface Element extends Entry {
  readonly tagName: string
  readonly attributes: readonly Entry[]
  readonly [list: string]: unknown
}

const LISTS = ['attributes', 'events', 'slots', 'cssParts', 'cssProperties', 'cssStates', 'members']

function elements(): Element[] {
  const manifest = JSON.parse(readFileSync(join(WIDGETS, 'custom-elements.json'), 'utf8')) as {
    modules: { declarations: Element[] }[]
  }
  return manifest.modules.flatMap(({ declarations }) => declarations)
}

function entries(element: Element, list: string): readonly Entry[] {
  return (element[list] as readonly Entry[] | undefined) ?? []
}

test('custom-elements.json is what the sources say (pnpm --filter @mqtt-status/widgets manifest)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'manifest-'))
  try {
    const cem = join(WIDGETS, 'node_modules/.bin/cem')
    await promisify(execFile)(cem, ['analyze', '--outdir', relative(WIDGETS, folder)], {
      cwd: WIDGETS,
      shell: process.platform === 'win32',
    })
    const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
    expect(read(join(folder, 'custom-elements.json'))).toEqual(
      read(join(WIDGETS, 'custom-elements.json')),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('every element is listed, and everything of it is described', () => {
  expect(elements().map(({ tagName }) => tagName)).toEqual([
    'mqtt-status-badge',
    'mqtt-status-card',
    'mqtt-status-control',
    'mqtt-status-live',
    'mqtt-status-provider',
  ])
  const bare = elements().flatMap((element) =>
    LISTS.flatMap((list) =>
      entries(element, list)
        .filter(({ description }) => !description)
        .map(({ name }) => `${element.tagName} ${list} ${name ?? '?'}`),
    ),
  )
  expect(bare).toEqual([])
})

test('every part, slot and attribute that is documented exists in the sources, and the other way round', () => {
  for (const element of elements()) {
    const folder = element.tagName.replace('mqtt-status-', '')
    const sources = [`${folder}/${folder}.ts`, 'parts/word.ts']
      .concat(folder === 'card' ? ['card/template.ts', 'parts/broker-text.ts'] : [])
      .concat(folder === 'card' || folder === 'control' ? 'parts/buttons.ts' : [])
      .map((name) => readFileSync(join(WIDGETS, 'src/elements', name), 'utf8'))
      .join('\n')
    for (const { name } of entries(element, 'slots').filter((slot) => slot.name))
      expect(sources, `${element.tagName} slot ${name}`).toMatch(
        new RegExp(`<slot name=("${name}"|\\$\\{slots\\.${name === 'icon' ? name : 'label'}\\})`),
      )
    const used = [...sources.matchAll(/<\w+\s[^>]*?part="([a-z]+)"/g)].map(([, part]) => part)
    const documented = entries(element, 'cssParts').map(({ name }) => name)
    expect(used.filter((part) => !documented.includes(part))).toEqual([])
  }
})

test('every custom property that a style sheet reads is documented, and the properties that are no attributes', () => {
  const folder = join(WIDGETS, 'src/elements')
  const read = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(/var\(\s*(--mqtt-status-[a-z-]+)/g),
    ])
    .map(([, name]) => name)
  const documented = elements().flatMap((element) =>
    entries(element, 'cssProperties').map(({ name }) => name),
  )
  expect(read.length).toBeGreaterThan(20)
  expect(read.filter((name) => !documented.includes(name))).toEqual([])
  for (const element of elements()) {
    const members = entries(element, 'members').map(({ name }) => name)
    expect(members, element.tagName).toEqual(expect.arrayContaining(['client', 'strings']))
    expect(members.includes('getToken')).toBe(element.tagName === 'mqtt-status-provider')
  }
})

test('docs/embedding.md names every attribute, event, slot, part, state and custom property', () => {
  const docs = readFileSync(new URL('../../docs/embedding.md', import.meta.url), 'utf8')
  const unsaid = elements().flatMap((element) =>
    LISTS.slice(0, 6).flatMap((list) =>
      entries(element, list)
        .map(({ name }) => name ?? '')
        .filter((name) => name && !docs.includes(name)),
    ),
  )
  expect(unsaid).toEqual([])
})

test('docs/embedding.md lists the words of every attribute that takes one of a few', () => {
  const docs = readFileSync(new URL('../../docs/embedding.md', import.meta.url), 'utf8')
  const rows = docs.split('\n').filter((line) => line.startsWith('| `'))
  const described = Object.entries(WORDS).flatMap(([name, words]) => {
    const values = rows.find((row) => row.startsWith(`| \`${name}\``)) ?? ''
    return words
      .filter((word) => !values.includes(`\`${word}\``))
      .map((word) => `${name}="${word}"`)
  })
  expect(described).toEqual([])
})
