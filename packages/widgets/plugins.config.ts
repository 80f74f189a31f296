/** What the builds do to the sources so that pages load less: shared by the npm entries and the single file. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { transform as transformCss } from 'lightningcss'
import type { Plugin } from 'vite'

/** All that is called of it, and what these need themselves. */
export const SOCKET_MEMBERS: readonly string[] = [
  'constructor',
  'addEventListener',
  'close',
  'readyState',
  'send',
  'CONNECTING',
  'OPEN',
  'CLOSED',
]

/**
 * The library ships its own TypeScript beside a build for browsers of 2015, which is nearly twice as large. Its private
 * members become truly private, which is what lets them be shortened, or dropped with the public ones that nobody calls;
 * bundlers can't drop members of classes. Its messages for debugging are left out.
 */
export const modernWebSocket: Plugin = {
  name: 'modern-web-socket',
  enforce: 'pre',
  resolveId(id) {
    if (id !== 'reconnecting-websocket') return null
    const manifest = createRequire(import.meta.url).resolve(`${id}/package.json`)
    return join(dirname(manifest), `${id}.ts`)
  },
  transform(code, id) {
    if (!id.endsWith('reconnecting-websocket.ts')) return null
    const modern = code
      .replace(/\bprivate (readonly )?_(?=\w)/g, '$1#')
      .replace(/\bthis\._(?=\w)/g, 'this.#')
      .replace(/^ *this\.#debug\(.*\);$/gm, '')
    const unused = nodesIn(this.parse(modern, { lang: 'ts', sourceType: 'module' }), isPublicMember)
      .filter(({ key }) => !SOCKET_MEMBERS.includes(key.name))
      .map(({ start, end }): Edit => [start, end, ''])
    return { code: edited(modern, unused), map: null }
  },
}

/** White space, comments and long forms in templates and style sheets are for those who read the source. */
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

/** From the end, so that the places of what comes before stay true. */
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

interface Member extends Node {
  readonly key: { readonly type: string; readonly name: string }
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

function isPublicMember(node: Node): node is Member {
  const isMember = node.type === 'MethodDefinition' || node.type === 'PropertyDefinition'
  return isMember && (node as Member).key.type === 'Identifier'
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

/** Line breaks between tags mean nothing, elsewhere a space is the same. */
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
        `(()=>{try{return globalThis[Symbol.for('mqtt-status.policy')]??=${types}.createPolicy('mqtt-status',${rules})}catch{}})()`,
    )
    return renamed === code ? null : { code: renamed, map: null }
  },
}

const LATER = /\bimport\('([^']+)'\)/g

/** In a single file nothing is loaded later: what the sources load when it is needed is simply there. */
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
      // Under other names: the sources may give these to what they await.
      now += `import { ${names.map((name) => `${name} as ${name}Now`).join(', ')} } from '${path}'\n`
      const module = `{ ${names.map((name) => `${name}: ${name}Now`).join(', ')} }`
      still = still.replaceAll(`import('${path}')`, `Promise.resolve(${module})`)
    }
    return { code: now + still, map: null }
  },
}
