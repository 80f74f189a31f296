/**
 * The packed packages, unpacked to `examples/packed/widgets` and `examples/packed/server`. The examples depend on the first
 * one, and the runner starts the second one.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { packInto, published, ROOT } from '../packages.ts'

const PACKED = join(ROOT, 'examples/packed')
const STAMP = join(PACKED, 'stamp')

/** The command `mqtt-status` of the packed server. */
export const PACKED_SERVER: string = join(PACKED, 'server/dist/main.js')

/**
 * Packs the built packages, unless they are packed already with the same content.
 *
 * @returns a hash of the content
 */
export async function pack(): Promise<string> {
  const content = contentOf()
  const known = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : ''
  if (known === content) return content
  mkdirSync(PACKED, { recursive: true })
  const draft = mkdtempSync(join(PACKED, 'draft-'))
  try {
    const tarballs = await packInto(draft)
    for (const { folder, manifest } of published()) {
      const target = join(draft, basename(folder))
      mkdirSync(target)
      const tarball = tarballs[manifest.name] ?? ''
      await promisify(execFile)('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
      const place = join(PACKED, basename(folder))
      rmSync(place, { recursive: true, force: true })
      renameSync(target, place)
    }
    linkDependencies()
    writeFileSync(STAMP, content)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return content
}

/** The server runs with the dependencies that the workspace has installed, in the versions of its lockfile. */
function linkDependencies(): void {
  const installed = join(ROOT, 'packages/server/node_modules')
  symlinkSync(installed, join(PACKED, 'server/node_modules'), 'junction')
}

function contentOf(): string {
  const hash = createHash('sha256')
  for (const { folder, manifest } of published()) {
    for (const name of ['package.json', ...(manifest.files ?? [])]) add(hash, join(folder, name))
  }
  return hash.digest('hex')
}

function add(hash: Hash, path: string): void {
  hash.update(path)
  if (!statSync(path).isDirectory()) hash.update(readFileSync(path))
  else for (const name of readdirSync(path).toSorted()) add(hash, join(path, name))
}
