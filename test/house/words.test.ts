/** Sentences name the actor: these words stand where a reader would need its name. */
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const WORDS = /\b(?:told|nobody|whoever|somebody)\b/i

/** Texts that viewers read, and tests and headings that quote them. */
const VIEWERS_READ = /Nobody is watching|Changed by somebody else|disconnected[ -]by[ -]somebody/g

function isChecked(path: string): boolean {
  return !/node_modules|\/dist\/|\/cdn\/|test\/house\/words\.test\.ts$/.test(path)
}

/** The lines of a text that have one of the words. */
function found(text: string): string[] {
  return text
    .replaceAll(VIEWERS_READ, '')
    .split('\n')
    .filter((line) => WORDS.test(line))
}

test('sentences in code, tests and docs name who acts', () => {
  const files = globSync(
    ['*.md', '{bench,docs,scripts,test}/**/*.{ts,js,md}', 'packages/*/{src,test}/**/*.{ts,js}'],
    { cwd: ROOT.pathname, exclude: (path) => path === 'node_modules' },
  ).filter(isChecked)
  expect(files.length).toBeGreaterThan(500)
  const lines = files.flatMap((path) =>
    found(readFileSync(new URL(path, ROOT), 'utf8')).map((line) => `${path}: ${line.trim()}`),
  )
  expect(lines).toEqual([])
})

test.each([
  ['// Nobody reads it.', 1],
  ['The client is told.\nThe server sends it.', 1],
  ["supervisor_lost: 'Nobody is watching this connection',", 0],
  ['A body that is untold', 0],
])('the check finds the words in %j', (text, count) => {
  expect(found(text)).toHaveLength(count)
})
