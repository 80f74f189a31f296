/** The entries of the published packages. */
import type { Manifest } from '../../scripts/packages.ts'

/** One key of `exports`, as a user writes it in an import. */
export interface Entry {
  readonly specifier: string
  readonly packageName: string
  /** The file for Node and for production builds. */
  readonly file: string
  /** `script`: only a browser can run it. */
  readonly kind: 'module' | 'script' | 'json' | 'css'
  /** The framework without which the entry makes no sense. */
  readonly peer: string | null
}

export function entriesOf(manifest: Manifest): readonly Entry[] {
  const { name, exports, unpkg, peerDependencies = {} } = manifest
  return Object.entries(exports).map(([key, target]) => {
    // A pattern would let files be imported that no test has seen.
    if (key.includes('*')) throw new Error(`${name}: exports must name "${key}" entry by entry`)
    const file = typeof target === 'string' ? target : target['default']
    if (file === undefined) throw new Error(`${name}: "${key}" has no default file`)
    const peers = Object.keys(peerDependencies)
    // `./solid` is the entry for the package `solid-js`.
    const peer = peers.find((one) => key === `./${one.replace(/-js$/, '')}`) ?? null
    return {
      specifier: name + key.slice(1),
      packageName: name,
      file,
      kind: file === unpkg ? 'script' : kindOf(file),
      peer,
    }
  })
}

function kindOf(file: string): 'module' | 'json' | 'css' {
  if (file.endsWith('.css')) return 'css'
  return file.endsWith('.json') ? 'json' : 'module'
}
