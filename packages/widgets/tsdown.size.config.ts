import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsdown'
import type { UserConfig } from 'tsdown'

/**
 * The npm entries as the bundler of an application takes them into a page, only to be weighed: one file with what is
 * loaded at first, and beside it what is loaded when it is needed.
 */
const config: UserConfig[] = defineConfig([
  weighed('client', 'dist/client/index.js'),
  weighed('badge', 'dist/define/badge.js'),
  weighed('card', 'dist/define/card.js'),
])

function weighed(name: string, entry: string): UserConfig {
  return {
    entry: { [name]: entry },
    outDir: fileURLToPath(new URL(`../../node_modules/.cache/size/${name}`, import.meta.url)),
    platform: 'browser',
    target: 'es2022',
    fixedExtension: false,
    dts: false,
    minify: true,
    deps: { alwaysBundle: [/./], onlyBundle: false },
    outputOptions: { comments: false },
    logLevel: 'warn',
    inputOptions: { preserveEntrySignatures: 'allow-extension' },
  }
}

export default config
