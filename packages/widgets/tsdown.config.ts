import { defineConfig } from 'tsdown'
import type { UserConfig } from 'tsdown'
import { narrowTemplates } from './plugins.config.ts'

const elements: UserConfig = {
  entry: [
    'src/index.ts',
    'src/index.development.ts',
    'src/define.ts',
    'src/define.development.ts',
    'src/define/*.ts',
    'src/client/index.ts',
  ],
  plugins: [narrowTemplates],
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
  // The package is private, so no registry delivers it.
  deps: { alwaysBundle: ['@mqtt-status/protocol'] },
  clean: false,
}

/**
 * The components for React. They import the elements by the name of the package, so the bundler of a page chooses
 * between the builds for production and development.
 */
const react: UserConfig = {
  entry: { react: 'src/react/index.ts' },
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  // types/react.d.ts declares them.
  dts: false,
  deps: { neverBundle: ['@mqtt-status/widgets', 'react'] },
  // Rolldown warns that it may drop a directive of the source.
  outputOptions: { banner: "'use client'" },
  // scripts/build.ts empties the folder, which both builds share.
  clean: false,
}

/** Files of the private package get a folder of their own, because they come from outside of `src`. */
function placeOf(name: string): string {
  return name.replace(/^(?:packages\/)?protocol\/src\//, 'protocol/')
}

const config: UserConfig[] = defineConfig([elements, react])

export default config
