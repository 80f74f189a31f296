/** Collects the licences of the packages that the single file contains. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const LIST = fileURLToPath(new URL('THIRD_PARTY_NOTICES', import.meta.url))

interface Inlined {
  readonly name: string
  readonly version: string
  /** The SPDX identifier. */
  readonly license: string
  /** The whole text that the package has been published with. */
  readonly text: string
}

/**
 * Begins the single file with the names and copyright lines of the packages in it, and writes their licence texts to
 * `THIRD_PARTY_NOTICES`, which npm delivers beside it.
 */
export const licences: Plugin = {
  name: 'licences',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk')
        file.code = bannerOf(inlinedIn(Object.keys(file.modules))) + file.code
  },
  writeBundle(_, bundle) {
    const ids = Object.values(bundle).flatMap((file) =>
      file.type === 'chunk' ? Object.keys(file.modules) : [],
    )
    writeFileSync(LIST, listOf(inlinedIn(ids)))
  },
}

/** @throws when a package has no licence text that could be delivered with it */
export function inlinedIn(ids: readonly string[]): readonly Inlined[] {
  const roots = ids.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [])
  return [...new Set(roots)]
    .map((root) =>
      readPackage(
        root,
        ids.filter((id) => id.startsWith(`${root}/`)),
      ),
    )
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

function readPackage(root: string, files: readonly string[]): Inlined {
  const manifest = readFileSync(`${root}/package.json`, 'utf8')
  const { name, version, license } = JSON.parse(manifest) as Inlined
  const file = readdirSync(root).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined)
    throw new Error(
      `${name} ${version} has no licence file, so the single file must not contain it. Replace the package, or add its text.`,
    )
  const text = readFileSync(`${root}/${file}`, 'utf8').trim()
  return { name, version, license, text: [text, ...files.flatMap(noticesIn)].join('\n\n') }
}

/** Notices of others, as compilers leave them beside the helpers that they insert. */
function noticesIn(file: string): readonly string[] {
  return readFileSync(file, 'utf8').match(/^\/\*![^]*?\*\//gm) ?? []
}

function bannerOf(all: readonly Inlined[]): string {
  const lines = all.map(({ name, version, license, text }) => {
    const [copyright = ''] = /^Copyright .*$/m.exec(text) ?? []
    return ` * ${name} ${version} (${license}) ${copyright}\n`
  })
  return `/*!\n * @mqtt-status/widgets (MIT) contains, under the licences in its file THIRD_PARTY_NOTICES:\n${lines.join('')} */\n`
}

function listOf(all: readonly Inlined[]): string {
  const parts = all.map(
    ({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}\n`,
  )
  return `cdn/mqtt-status.js contains parts of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}
