import { defineConfig } from 'vite'
import type { UserConfig } from 'vite'
import type { Plugin } from 'vite'

/**
 * Two copies of Lit under Trusted Types: the second one fails, because the name of its policy is taken, and takes its
 * page down with it. Ours has a name of its own, and is shared by all copies of this bundle.
 */
const ownPolicy: Plugin = {
  name: 'own-trusted-types-policy',
  transform(code, id) {
    if (!id.includes('lit-html')) return null
    const renamed = code.replace(
      /(\w+)\.createPolicy\(\s*["']lit-html["'],\s*(\{[^}]*\})\s*\)/,
      (_, types: string, rules: string) =>
        `(globalThis[Symbol.for('mqtt-status.policy')]??=${types}.createPolicy('mqtt-status',${rules}))`,
    )
    return renamed === code ? null : { code: renamed, map: null }
  },
}

/** White space in style sheets is for those who read the source. */
const narrowStyles: Plugin = {
  name: 'narrow-styles',
  transform(code, id) {
    if (!id.endsWith('.styles.ts')) return null
    const narrowed = code.replace(/css`[^`]*`/g, (sheet) =>
      sheet
        .replace(/\/\*.*?\*\//gs, '')
        .replace(/\s+/g, ' ')
        .replace(/ ?([{};]) ?/g, '$1'),
    )
    return { code: narrowed, map: null }
  },
}

/** The single file for script tags; library mode would leave its white space. */
const config: UserConfig = defineConfig({
  plugins: [ownPolicy, narrowStyles],
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
