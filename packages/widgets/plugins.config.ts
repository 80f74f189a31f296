/** Plugins of both builds (npm entries, single file) that make pages load less. */
import { transform as transformCss } from 'lightningcss'
import type { Plugin } from 'vite'

/** Removes white space and comments from templates and style sheets, and shortens style sheets. */
export const narrowTemplates: Plugin = {
  name: 'narrow-templates',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/src\/.*\.ts$/.test(id) || !/\b(?:html|svg|css)`/.test(code)) return null
    const program = this.parse(code, { lang: 'ts', sourceType: 'module' })
    const edits = nodesIn(program, isTemplate).flatMap((template) => editsOf(template, code))
    const sheets = code.includes('css`') ? "import { unsafeCSS } from 'lit'\n" : ''
    return { code: sheets + edited(code, edits), map: null }
  },
}

type Edit = readonly [from: number, to: number, text: string]

/** Applies the last edit first, so that the positions of the others stay valid. */
function edited(code: string, edits: readonly Edit[]): string {
  return edits
    .toSorted(([one], [other]) => other - one)
    .reduce((text, [from, to, by]) => text.slice(0, from) + by + text.slice(to), code)
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

interface Template extends Node {
  readonly tag: { readonly name?: string }
  readonly quasi: {
    readonly quasis: readonly {
      readonly start: number
      readonly value: { readonly raw: string; readonly cooked: string }
    }[]
  }
}

function nodesIn<T extends Node>(tree: unknown, wanted: (node: Node) => node is T): T[] {
  if (typeof tree !== 'object' || tree === null) return []
  const inside = Object.values(tree).flatMap((child) => nodesIn(child, wanted))
  return 'type' in tree && wanted(tree as Node) ? [tree as T, ...inside] : inside
}

function isTemplate(node: Node): node is Template {
  return node.type === 'TaggedTemplateExpression'
}

function editsOf({ tag, quasi, start, end }: Template, code: string): Edit[] {
  if (tag.name === 'css') {
    const [sheet] = quasi.quasis
    if (!sheet || quasi.quasis.length > 1) throw new Error('A style sheet has to be constant')
    // Constant text needs none of the checks of `css`.
    return [[start, end, `unsafeCSS(\`${escape(narrowSheet(sheet.value.cooked))}\`)`]]
  }
  if (tag.name !== 'html' && tag.name !== 'svg') return []
  return quasi.quasis.map(({ start: near, value: { raw } }) => {
    const from = code.indexOf(raw, near)
    return [from, from + raw.length, narrowMarkup(raw)]
  })
}

/** Removes line breaks between tags, and replaces others by a space. */
function narrowMarkup(markup: string): string {
  return markup
    .replace(/>\n\s*</g, '><')
    .replace(/\n\s*>/g, '>')
    .replace(/\n\s*/g, ' ')
}

/** Without targets nothing is rewritten for older browsers than the ones that can show the elements. */
function narrowSheet(sheet: string): string {
  const { code } = transformCss({
    filename: 'sheet.css',
    code: Buffer.from(sheet),
    minify: true,
  })
  return Buffer.from(code).toString()
}

function escape(text: string): string {
  return text.replace(/[\\`]|\$\{/g, '\\$&')
}

/**
 * Under Trusted Types a second copy of Lit throws, because the first one has created the policy `lit-html`. This bundle
 * creates a policy with a name of its own, and all copies of the bundle share it.
 */
export const ownPolicy: Plugin = {
  name: 'own-trusted-types-policy',
  transform(code, id) {
    if (!id.includes('lit-html')) return null
    const renamed = code.replace(
      /(\w+)\.createPolicy\(\s*["']lit-html["'],\s*(\{[^}]*\})\s*\)/,
      (_, types: string, rules: string) =>
        `(()=>{try{return globalThis[Symbol.for('mqtt-status.policy')]??=${types}.createPolicy('mqtt-status',${rules})}catch{}})()`,
    )
    return renamed === code ? null : { code: renamed, map: null }
  },
}

const LATER = /\bimport\('([^']+)'\)/g

/** Replaces dynamic imports by static ones, because the single file has no chunks. */
export const allAtOnce: Plugin = {
  name: 'all-at-once',
  enforce: 'pre',
  async transform(code, id) {
    if (!/\/src\/.*\.ts$/.test(id)) return null
    const paths = new Set(Array.from(code.matchAll(LATER), ([, path = '']) => path))
    let now = ''
    let still = code
    for (const path of paths) {
      const found = await this.resolve(path, id)
      const names = (found && (await this.load(found)).exports) ?? []
      // The imports get other names, because the sources may use the original names.
      now += `import { ${names.map((name) => `${name} as ${name}Now`).join(', ')} } from '${path}'\n`
      const module = `{ ${names.map((name) => `${name}: ${name}Now`).join(', ')} }`
      still = still.replaceAll(`import('${path}')`, `Promise.resolve(${module})`)
    }
    return { code: now + still, map: null }
  },
}
