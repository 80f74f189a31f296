import { defineConfig } from 'vite'
import type { UserConfig } from 'vite'
import { licences } from './licences.config.ts'
import { allAtOnce, narrowTemplates, ownPolicy } from './plugins.config.ts'

/** The single file for script tags; library mode would leave its white space. */
const config: UserConfig = defineConfig({
  plugins: [ownPolicy, allAtOnce, narrowTemplates, licences],
  build: {
    target: 'es2022',
    outDir: 'cdn',
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/cdn.ts',
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'mqtt-status.js', codeSplitting: false },
    },
  },
})

export default config
