/** Every documented sample of TypeScript, JavaScript, JSX, Vue and Svelte, type-checked in a project that has the packed packages. */
import { describe, expect, inject, test } from 'vitest'
import { allBlocks, nameOf } from '../samples/documented.ts'
import type { Block } from '../samples/documented.ts'
import { Project } from './project.ts'

/** How samples of a language are checked. */
interface Check {
  readonly languages: readonly string[]
  readonly command: readonly [string, ...string[]]
  /** What samples use, and do not import. */
  readonly ambient?: string
  readonly compilerOptions?: object
}

/** What the samples use of Nuxt, which nuxt.test.ts builds in a suite of its own. */
const NUXT = `
declare module 'nuxt/config' {
  export function defineNuxtConfig(config: {
    compatibilityDate: string
    vue: { compilerOptions: { isCustomElement: (tag: string) => boolean } }
  }): object
}
declare module 'nuxt/app' {
  import type { Ref } from 'vue'
  export function defineNuxtPlugin(setup: () => void): object
  export function useFetch<T>(
    url: string,
    options: { query: Record<string, string>; timeout: number },
  ): Promise<{ data: Ref<T | undefined> }>
}`

const CHECKS: Readonly<Record<string, Check>> = {
  typescript: { languages: ['ts', 'tsx'], command: ['tsc', '-p', '.'], ambient: NUXT },
  // Without types of parameters there is only `any`; everything else is checked.
  javascript: {
    languages: ['js', 'jsx'],
    command: ['tsc', '-p', '.'],
    compilerOptions: { allowJs: true, checkJs: true, noImplicitAny: false },
    ambient: `declare module 'jose'\ndeclare module '@astrojs/node'\ndeclare module 'astro/config'`,
  },
  vue: { languages: ['vue'], command: ['vue-tsc', '-p', '.'], ambient: NUXT },
  svelte: {
    languages: ['svelte'],
    command: ['svelte-check', '--fail-on-warnings', '--tsconfig', './tsconfig.json'],
  },
}

const COMPILER_OPTIONS = {
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable'],
  module: 'esnext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  jsx: 'react-jsx',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['node'],
}

/** Where a sample is written: samples import each other by the names of their files. */
function pathOf({ file, line, page, language }: Block): string {
  return file ?? `src/${page.replace(/\W/g, '-')}-${line}.${language}`
}

test('no two samples are the same file', () => {
  const files = allBlocks().flatMap(({ file }) => file ?? [])
  expect(new Set(files).size).toBe(files.length)
})

describe.each(Object.entries(CHECKS))('%s', (name, check) => {
  const blocks = allBlocks().filter(({ language }) => check.languages.includes(language))

  test(`passes a strict check: ${blocks.map(nameOf).join(', ')}`, async () => {
    const project = new Project(inject('stranger'))
    const folder = `samples-${name}`
    project.write({
      ...Object.fromEntries(blocks.map((block) => [`${folder}/${pathOf(block)}`, block.text])),
      [`${folder}/ambient.d.ts`]: check.ambient ?? '',
      [`${folder}/tsconfig.json`]: JSON.stringify({
        compilerOptions: { ...COMPILER_OPTIONS, ...check.compilerOptions },
        include: ['**/*'],
      }),
    })
    expect(blocks.length).toBeGreaterThan(0)
    const { ok, output } = await project.runIn(folder, ...check.command)
    expect(ok, output).toBe(true)
  })

  test('a mistake in a sample is found', async () => {
    const project = new Project(inject('stranger'))
    const folder = `samples-${name}-wrong`
    const [block] = blocks.filter(({ text }) => text.includes('connection('))
    if (block === undefined) throw new Error(`No sample in ${name} uses connection()`)
    project.write({
      [`${folder}/${pathOf(block)}`]: block.text.replace('connection(', 'connexion('),
      [`${folder}/tsconfig.json`]: JSON.stringify({
        compilerOptions: { ...COMPILER_OPTIONS, ...check.compilerOptions },
        include: ['**/*'],
      }),
    })
    const { ok, output } = await project.runIn(folder, ...check.command)
    expect(ok).toBe(false)
    expect(output).toContain('connexion')
  })
})
