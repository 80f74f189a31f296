import { defineConfig } from 'tsdown'
import type { UserConfig } from 'tsdown'
import { modernWebSocket, narrowTemplates } from './plugins.config.ts'

const config: UserConfig = defineConfig({
  entry: [
    'src/index.ts',
    'src/index.development.ts',
    'src/define.ts',
    'src/define.development.ts',
    'src/define/*.ts',
    'src/client/index.ts',
  ],
  plugins: [modernWebSocket, narrowTemplates],
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { compilerOptions: { stripInternal: true } },
  // One file for one file: names in the declarations stay as they are written, and every file keeps its name from
  // release to release.
  unbundle: true,
  root: 'src',
  outputOptions: {
    entryFileNames: ({ name }) => `${placeOf(name)}.js`,
    chunkFileNames: ({ name }) => `${placeOf(name)}.js`,
  },
  // One is private, of the other only a part is needed: both travel inside.
  deps: { alwaysBundle: ['@mqtt-status/protocol', 'reconnecting-websocket'] },
})

/** What travels inside comes from outside of `src`; npm packs no folder that is called `node_modules`. */
function placeOf(name: string): string {
  return name
    .replace(/^packages\/protocol\/src\//, 'protocol/')
    .replace(/^node_modules\/.*\/(?=reconnecting-websocket\/)/, '')
}

export default config
