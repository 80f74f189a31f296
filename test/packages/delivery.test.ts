/** What npm delivers beside the code: licence, readme, and the versions of Node that the packages allow. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { ROOT, published } from '../../scripts/packages.ts'

const MIT = readFileSync(join(ROOT, 'LICENSE'), 'utf8')

interface Installed {
  readonly engines?: { readonly node?: string }
  readonly dependencies?: Readonly<Record<string, string>>
}

function installed(name: string): string {
  return join(inject('empty'), 'node_modules', name)
}

function manifestOf(name: string): Installed {
  return JSON.parse(readFileSync(join(installed(name), 'package.json'), 'utf8')) as Installed
}

describe.each(published().map(({ manifest }) => manifest.name))('%s', (name) => {
  test('has the licence of the project', () => {
    expect(readFileSync(join(installed(name), 'LICENSE'), 'utf8')).toBe(MIT)
  })

  test('has a readme that begins with its name, and whose links lead to files of the package', () => {
    const readme = readFileSync(join(installed(name), 'README.md'), 'utf8')
    expect(readme).toMatch(new RegExp(`^# ${name}\n`))
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)
    expect(links.filter((path) => !existsSync(join(installed(name), path)))).toEqual([])
  })

  test('allows no version of Node that a dependency of it refuses', () => {
    const own = oldestOf(manifestOf(name))
    const refused = Object.keys(manifestOf(name).dependencies ?? {}).filter(
      (dependency) =>
        own.localeCompare(oldestOf(manifestOf(dependency)), 'en', { numeric: true }) < 0 &&
        // A package without `engines`, as all bundled ones, leaves the version to its dependencies.
        manifestOf(name).engines !== undefined,
    )
    expect(refused).toEqual([])
  })
})

test('the widgets install on any version of Node, because only build tools and browsers read them', () => {
  const { engines, dependencies = {} } = manifestOf('@mqtt-status/widgets')
  expect(engines).toBeUndefined()
  expect(Object.keys(dependencies).filter((each) => manifestOf(each).engines?.node)).toEqual([])
})

/** @throws when `engines` is no plain lower bound, which this comparison can't read */
function oldestOf({ engines }: Installed): string {
  const [, version] = /^>=\s*(\d+(?:\.\d+)*)$/.exec(engines?.node ?? '>=0') ?? []
  if (version === undefined) throw new Error(`"${engines?.node}" is no lower bound`)
  return [...version.split('.'), '0', '0'].slice(0, 3).join('.')
}
