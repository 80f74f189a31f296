import { defineConfig } from 'vite'
import type { UserConfig } from 'vite'
import { allAtOnce, modernWebSocket, narrowTemplates, ownPolicy } from './plugins.config.ts'

/** The single file for script tags; library mode would leave its white space. */
const config: UserConfig = defineConfig({
  plugins: [ownPolicy, allAtOnce, modernWebSocket, narrowTemplates],
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
