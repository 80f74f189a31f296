import { existsSync, globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const PAGE = readFileSync(new URL('STACK_AI_BRIEFING.md', ROOT), 'utf8')

/** Files of the repository, as paths from its root. */
const FILES = globSync('{bench,docs,packages,scripts,test}/**/*.{ts,js,md,sql}', {
  cwd: ROOT.pathname,
  exclude: (path) => path.includes('node_modules') || path.includes('/dist'),
})

/** The words in code marks, with `{a,b}` written out. */
function spans(): string[] {
  return [...PAGE.matchAll(/`([^`\s]+)`/g)].flatMap(([, span = '']) => {
    const [all, before = '', names = '', after = ''] = /^(.*)\{(.+)\}(.*)$/.exec(span) ?? []
    return all === undefined ? [span] : names.split(',').map((name) => before + name + after)
  })
}

test('every path that the briefing names exists', () => {
  const paths = spans().filter((span) => /^(?:bench|docs|packages|scripts|test)\//.test(span))
  expect(paths.length).toBeGreaterThan(40)
  expect(paths.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([])
})

test('every file that the briefing names without its folder exists', () => {
  const names = spans().filter(
    (span) => /^[\w./-]+\.(?:ts|js|md|sql)$/.test(span) && !existsSync(new URL(span, ROOT)),
  )
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !FILES.some((file) => file.endsWith(`/${name}`)))).toEqual([])
})
