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
  dts: true,
  // What is loaded later keeps its name from release to release.
  hash: false,
  // One is private, of the other only a part is needed: both travel inside.
  deps: { alwaysBundle: ['@mqtt-status/protocol', 'reconnecting-websocket'] },
})

export default config
