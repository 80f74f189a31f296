import { HEADING_LEVELS, WORDS } from './src/attributes/words.ts'

/** Only what a page may use is listed; nothing of how it is made. */
const INTERNAL = new Set([
  'styles',
  'properties',
  'observedAttributes',
  'inspect',
  'placeholder',
  'tag',
  'version',
])

/** What is an attribute, too, is listed as one. */
function isPublic({ privacy, name, kind, attribute }) {
  const open = !privacy || (privacy === 'public' && !attribute)
  return open && !name.startsWith('#') && !(kind === 'field' && INTERNAL.has(name))
}

/** The types of the other attributes, as their documentation says. */
const types = new Map()

/** Attributes that take one of a few words. */
const words = { ...WORDS, 'heading-level': HEADING_LEVELS }

const publicOnly = {
  name: 'public-only',
  analyzePhase({ ts, node }) {
    if (!ts.isClassDeclaration(node)) return
    const text = node.getFullText().slice(0, node.getStart() - node.getFullStart())
    for (const [, type, name] of text.matchAll(/@attr \{([^}]+)\} ([\w-]+)/g)) types.set(name, type)
  },
  packageLinkPhase({ customElementsManifest: manifest }) {
    for (const module of manifest.modules) {
      module.declarations = module.declarations.filter(({ tagName }) => tagName)
      module.exports = module.declarations.flatMap(({ name, tagName }) => [
        { kind: 'js', name, declaration: { name, module: module.path } },
        {
          kind: 'custom-element-definition',
          name: tagName,
          declaration: { name, module: module.path },
        },
      ])
      for (const declaration of module.declarations) {
        declaration.members = declaration.members.filter(isPublic)
        for (const attribute of declaration.attributes)
          attribute.type = { text: words[attribute.name]?.join(' | ') ?? types.get(attribute.name) }
        declaration.events = declaration.events?.filter(({ name }) =>
          name?.startsWith('mqtt-status-'),
        )
        for (const list of ['members', 'attributes', 'events', 'cssProperties', 'cssStates'])
          for (const entry of declaration[list] ?? []) delete entry.inheritedFrom
        delete declaration.superclass
      }
    }
    manifest.modules = manifest.modules
      .filter(({ declarations }) => declarations.length > 0)
      // Files come in the order of the disk, which is another one on each machine.
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  },
}

export default {
  globs: ['src/elements/**/*.ts'],
  exclude: ['src/elements/**/*.styles.ts'],
  outdir: '.',
  litelement: true,
  packagejson: false,
  plugins: [publicOnly],
}
