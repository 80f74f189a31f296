import { defineConfig } from 'tsdown'
import type { UserConfig } from 'tsdown'

const config: UserConfig = defineConfig({
  entry: [
    'src/index.ts',
    'src/index.development.ts',
    'src/define.ts',
    'src/define.development.ts',
    'src/define/*.ts',
    'src/client/index.ts',
  ],
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: true,
  // Private: both published packages carry it inside.
  deps: { alwaysBundle: ['@mqtt-status/protocol'] },
})

export default config
