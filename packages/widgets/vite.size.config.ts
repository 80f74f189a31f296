import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import type { Plugin, UserConfigFnObject } from 'vite'
import { narrowStyles, narrowTemplates } from './vite.plugins.config.ts'

const ENTRIES: Readonly<Record<string, string>> = {
  badge: 'src/define/badge.ts',
  card: 'src/define/card.ts',
}

/** The goals are for one language. */
const englishOnly: Plugin = {
  name: 'english-only',
  transform(_, id) {
    return id.endsWith('/locales/it.ts')
      ? { code: 'export const it = { code: "it" }', map: null }
      : null
  },
}

/** One entry as a bundler would take it into a page, only to be weighed: what is loaded at first. `--mode card`. */
const config: UserConfigFnObject = defineConfig(({ mode }) => ({
  plugins: [englishOnly, narrowStyles, narrowTemplates],
  build: {
    target: 'es2022',
    outDir: fileURLToPath(new URL('../../node_modules/.cache/size', import.meta.url)),
    emptyOutDir: false,
    modulePreload: false,
    rolldownOptions: {
      input: ENTRIES[mode] ?? '',
      preserveEntrySignatures: 'strict',
      output: {
        format: 'es',
        entryFileNames: `${mode}.js`,
        chunkFileNames: `${mode}-[name].js`,
      },
    },
  },
}))

export default config
