import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts', 'src/index.ts', 'src/embedded/postgres-keeper.ts'],
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  // File by file, so that what a file looks for beside itself is there in the sources and in the build alike.
  unbundle: true,
  dts: true,
  deps: {
    // Private: both published packages carry it inside.
    alwaysBundle: ['@mqtt-status/protocol'],
  },
  copy: [{ from: 'src/embedded/portal', to: 'dist/embedded' }],
})
