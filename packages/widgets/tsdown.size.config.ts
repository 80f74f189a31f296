import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsdown'
import type { UserConfig } from 'tsdown'

/** The client alone, minified, only to be weighed: what is loaded at first, and what is loaded when it is needed. */
const config: UserConfig = defineConfig({
  entry: { client: 'src/client/index.ts' },
  outDir: fileURLToPath(new URL('../../node_modules/.cache/size', import.meta.url)),
  platform: 'browser',
  target: 'es2022',
  fixedExtension: false,
  dts: false,
  minify: true,
  deps: { alwaysBundle: [/./], onlyBundle: false },
  outputOptions: { comments: false },
  logLevel: 'warn',
  inputOptions: { preserveEntrySignatures: 'allow-extension' },
})

export default config
