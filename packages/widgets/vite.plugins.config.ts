import type { Plugin } from 'vite'

/**
 * Two copies of Lit under Trusted Types: the second one fails, because the name of its policy is taken, and takes its
 * page down with it. Ours has a name of its own, and is shared by all copies of this bundle.
 */
export const ownPolicy: Plugin = {
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
export const narrowStyles: Plugin = {
  name: 'narrow-styles',
  transform(code, id) {
    if (!id.endsWith('.styles.ts')) return null
    const narrowed = code.replace(/css`[^`]*`/g, (sheet) =>
      sheet
        .replace(/\/\*.*?\*\//gs, '')
        .replace(/\s+/g, ' ')
        .replace(/ ?([{};,]) ?/g, '$1')
        .replace(/;}/g, '}')
        .replace(/([a-z-]): /g, '$1:'),
    )
    return { code: narrowed, map: null }
  },
}

/** What is left of line breaks in minified code is in templates, where a space means the same. */
export const narrowTemplates: Plugin = {
  name: 'narrow-templates',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle))
      if (chunk.type === 'chunk')
        chunk.code = chunk.code.replace(/>\n\s*</g, '><').replace(/\n\s*/g, ' ')
  },
}
