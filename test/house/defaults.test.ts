/** docs/defaults.md against the code: which options of a library are set, and to what. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { DEFAULT_MIN_VERSION } from 'node:tls'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { PATIENCE } from '../../packages/server/src/http/context.ts'
import { serverOptions } from '../../packages/server/src/http/listen.ts'

const ROOT = new URL('../../', import.meta.url)

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

interface Row {
  readonly option: string
  readonly byDefault: string
  readonly here: string
}

interface Section {
  readonly title: string
  readonly file: string
  /** The call, function or variable whose object has the options. */
  readonly place: string
  readonly rows: readonly Row[]
}

const page = read('docs/defaults.md')

const sections: readonly Section[] = page
  .split(/(?=^## )|(?=^The options from)/m)
  .flatMap((text) => {
    const found = /(?:Set|set) in `([^`]+)`, `([^`]+)`\./.exec(text)
    if (!found) return []
    const [, file = '', place = ''] = found
    const rows = [...text.matchAll(/^\| `([^`]+)` \| (.+?) \| `([^`]+)` \|/gm)].map(
      ([, option = '', byDefault = '', here = '']) => ({ option, byDefault, here }),
    )
    const title = `${text.split('\n')[0] ?? ''} (${place})`
    return [{ title, file, place, rows }]
  })

/** The options that an object sets, also in objects that it spreads, with the text of their values. */
function optionsIn(object: ts.ObjectLiteralExpression): Map<string, ts.Expression | null> {
  const options = new Map<string, ts.Expression | null>()
  for (const property of object.properties) {
    if (ts.isSpreadAssignment(property)) {
      const spread = (node: ts.Node): void => {
        if (ts.isCallExpression(node)) return
        if (ts.isObjectLiteralExpression(node))
          for (const name of optionsIn(node).keys()) options.set(name, null)
        else ts.forEachChild(node, spread)
      }
      spread(property.expression)
    } else if (property.name) {
      options.set(
        property.name.getText(),
        ts.isPropertyAssignment(property) ? property.initializer : null,
      )
    }
  }
  return options
}

function firstObject(node: ts.Node): ts.ObjectLiteralExpression | undefined {
  if (ts.isObjectLiteralExpression(node)) return node
  return ts.forEachChild(node, firstObject)
}

function isReturned(node: ts.Node): ts.ObjectLiteralExpression | undefined {
  if (ts.isReturnStatement(node) && node.expression) return firstObject(node.expression)
  return ts.forEachChild(node, isReturned)
}

function findObject(source: ts.SourceFile, place: string): ts.ObjectLiteralExpression | undefined {
  const search = (node: ts.Node): ts.ObjectLiteralExpression | undefined => {
    const isCall = ts.isCallExpression(node) || ts.isNewExpression(node)
    if (isCall && node.expression.getText() === place) {
      const object = node.arguments?.find((argument) => ts.isObjectLiteralExpression(argument))
      if (object) return object
    }
    const isNamed =
      ts.isFunctionDeclaration(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isPropertyAssignment(node)
    if (isNamed && node.name?.getText() === place) {
      const object =
        ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)
          ? node.initializer && firstObject(node.initializer)
          : isReturned(node)
      if (object) return object
    }
    return ts.forEachChild(node, search)
  }
  return search(source)
}

/** A value that is written down: a literal, a product of numbers, or a constant of the same file. */
function valueOf(value: ts.Expression | null, source: ts.SourceFile): string {
  if (value === null) return 'own'
  const text = value.getText()
  if (ts.isStringLiteral(value)) return value.text
  if (/^(?:true|false|null)$/.test(text)) return text
  if (/^[\d_]+(?: \* [\d_]+)*$/.test(text))
    return String(
      text
        .replaceAll('_', '')
        .split(' * ')
        .reduce((product, factor) => product * Number(factor), 1),
    )
  const constant = source.statements
    .filter((statement) => ts.isVariableStatement(statement))
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((declaration) => declaration.name.getText() === text)
  return constant?.initializer ? valueOf(constant.initializer, source) : 'own'
}

test('the page has a table for each library that is given options', () => {
  expect(sections.length).toBe(15)
  for (const { title, rows } of sections) expect(rows.length, title).toBeGreaterThan(0)
})

test.each(sections)('$title: what is set is what the page says', ({ file, place, rows }) => {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
  const object = findObject(source, place)
  if (!object) throw new Error(`${file} has no options at ${place}`)
  const options = optionsIn(object)
  const set = [...options].map(([option, value]) => [option, valueOf(value, source)])
  const said = rows.filter(({ here }) => here !== 'default')
  // The times of the server are parameters of its function: the next test reads them.
  const isExact = place !== 'serverOptions'
  expect(said.map(({ option, here }) => [option, isExact ? here : '']).toSorted()).toEqual(
    set.map(([option, value]) => [option, isExact ? value : '']).toSorted(),
  )
  for (const { option, here } of rows)
    if (here === 'default') expect(options.has(option)).toBe(false)
})

test('node:http: the defaults are those of this version, and the times those of the server', () => {
  const rows = sections.find(({ place }) => place === 'serverOptions')?.rows ?? []
  const numbers = Object.entries(serverOptions(PATIENCE)).map(([name, value]) => [
    name,
    String(value),
  ])
  const here = rows.filter((row) => row.here !== 'default').map((row) => [row.option, row.here])
  expect(here.toSorted()).toEqual(numbers.toSorted())
  const plain = createServer()
  for (const name of ['keepAliveTimeout', 'headersTimeout', 'requestTimeout'] as const) {
    const row = rows.find(({ option }) => option === name)
    expect(row?.byDefault).toBe(`\`${String(plain[name])}\``)
  }
  expect(DEFAULT_MIN_VERSION).toBe('TLSv1.2')
})

test('every library that is installed with the packages stands on the page', () => {
  const dependencies = ['server', 'widgets'].flatMap((name) => {
    const { dependencies: own } = JSON.parse(read(`packages/${name}/package.json`)) as {
      dependencies: Record<string, string>
    }
    return Object.keys(own).filter((library) => !library.startsWith('@mqtt-status/'))
  })
  const names: Readonly<Record<string, string>> = {
    lit: 'Lit',
    mqtt: 'MQTT.js',
    postgres: 'postgres.js',
  }
  for (const library of dependencies)
    expect(page, library).toMatch(new RegExp(`^(?:## |\\| \`)${names[library] ?? library}`, 'm'))
})
