import type { UserConfig } from 'tsdown'

const config: UserConfig = {
  entry: [
    'src/index.ts',
    'src/main.ts',
    // Started as a process of its own.
    'src/embedded/postgres-keeper.ts',
  ],
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  // One file for one file: some find others by where they are (migrations, the keeper, the portal page).
  unbundle: true,
  root: 'src',
  dts: { entry: 'src/index.ts' },
  // Private: both published packages carry it inside.
  deps: { alwaysBundle: ['@mqtt-status/protocol'] },
  copy: [{ from: 'src/embedded/portal', to: 'dist/embedded' }],
}

export default config
