import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import type { UserConfig } from 'vite'

/** The client alone, minified, only to be weighed. */
const config: UserConfig = defineConfig({
  build: {
    target: 'es2022',
    outDir: fileURLToPath(new URL('../../node_modules/.cache/size', import.meta.url)),
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/client/index.ts',
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'client.js' },
    },
  },
})

export default config
