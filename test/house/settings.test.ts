/** Every page and every message that names a setting, against the table of settings. */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { SETTINGS, UNSUPPORTED } from '../../packages/server/src/config/settings.ts'

const ROOT = new URL('../../', import.meta.url)
const DEFAULTS = new Map(SETTINGS.map((setting) => [setting.variable, setting]))
const KNOWN = new Set([...SETTINGS, ...UNSUPPORTED].map(({ variable }) => variable))

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}${name}`)
}

const PAGES = ['README.md', 'STACK_AI_BRIEFING.md', ...filesIn('docs/', '.md')]

test('docs/operations.md lists every setting in the order of the table, with its default and its help', () => {
  const [, section = ''] = read('docs/operations.md').split('\n## Settings\n')
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$/gm)]
  expect(rows.map(([, variable]) => variable)).toEqual([...DEFAULTS.keys()])
  for (const [, variable = '', byDefault, text = ''] of rows) {
    const { default: fallback, unit, otherwise = '–', help } = DEFAULTS.get(variable) ?? {}
    const number = unit === undefined ? fallback : `${fallback ?? ''} ${unit}`
    expect(byDefault?.replaceAll('`', ''), variable).toBe(fallback ? number : otherwise)
    const words = text.replaceAll('`', '')
    // A page may say more, behind a comma or a semicolon.
    expect(words.slice(0, help?.length), variable).toBe(help)
    expect(words.slice(help?.length), variable).toMatch(/^($|[,;] )/)
  }
})

/** Names in capitals with an underscore. */
function namesIn(text: string): string[] {
  return text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []
}

/** The beginnings of names, up to the first underscore. */
const FAMILIES = new Set([...KNOWN].map((name) => name.split('_')[0]))
/** A reference names a variable of the operator's choice. */
const REFERENCE = /^MQTT_SECRET(_(?!KEYS)|$)/

/** The names that begin like a setting: pages also name constants, files and variables of Node. */
function settingsIn(text: string): string[] {
  return namesIn(text).filter((name) => FAMILIES.has(name.split('_')[0]) && !REFERENCE.test(name))
}

test.each(PAGES)('%s names no variable that is not a setting', (page) => {
  expect(settingsIn(read(page)).filter((name) => !KNOWN.has(name))).toEqual([])
})

/** `NAME` followed by a comma or a bracket and a number, as in "`HEARTBEAT_MS` (25 s)". */
const WITH_NUMBER = /`([A-Z]+(?:_[A-Z]+)+)`(?:, | \()(\d+)\b( ?s\b)?(?! ?%)/g

test('the defaults that other pages state are those of the table', () => {
  const stated = PAGES.flatMap((page) =>
    [...read(page).matchAll(WITH_NUMBER)].map(([text, variable = '', number, seconds]) => ({
      text: `${page}: ${text}`,
      expected: DEFAULTS.get(variable)?.default,
      found: String(Number(number) * (seconds === undefined ? 1 : 1_000)),
    })),
  )
  expect(stated.length).toBeGreaterThan(5)
  for (const { text, expected, found } of stated) expect(found, text).toBe(expected)
})

test('docs/mqtt.md lists the ports that the server may dial without a setting', () => {
  const ports = DEFAULTS.get('MQTT_ALLOW_PORTS')?.default?.replaceAll(',', ', ') ?? 'none'
  expect(read('docs/mqtt.md').replace(/\s+/g, ' ')).toContain(ports)
})

/** The texts of all string and template literals, and the comments. */
function textsOf(source: ts.SourceFile): string[] {
  const comments = source.text.match(/\/\*[^]*?\*\/|\/\/ .*$/gm) ?? []
  const texts: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) texts.push(node.text)
    else if (ts.isTemplateMiddleOrTemplateTail(node)) texts.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...texts, ...comments].filter((text) => text.includes(' '))
}

test('messages and comments of the server name only settings that exist', () => {
  const files = filesIn('packages/server/src/', '.ts').filter((name) => !name.endsWith('.test.ts'))
  const named = files.flatMap((path) => {
    const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
    return textsOf(source)
      .flatMap(settingsIn)
      .map((name) => ({ path, name }))
  })
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter(({ name }) => !KNOWN.has(name))).toEqual([])
})
