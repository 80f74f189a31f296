/** Registers the tests that every example has to pass. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { Example } from '../../scripts/examples/example.ts'
import * as checks from './checks.ts'
import type { Check } from './checks.ts'
import { EXAMPLE_TRAITS } from './examples.ts'
import type { Traits } from './examples.ts'
import { Stage } from './stage.ts'
import { Visit } from './visit.ts'
import type { Rendered, VisitOptions } from './visit.ts'

/** For tests that only one example has. */
export interface Tested {
  stage(): Stage
  visit(path: string, options?: VisitOptions): Promise<Visit>
}

/** What every page with connections shows. */
const EVERY_PAGE: Readonly<Record<string, Check>> = {
  'shows three live connections, and changes of the database': checks.changesLive,
  'has a button that disconnects a datalogger and connects it again': checks.buttonCommands,
  'is live again after the server was killed, without a reload': checks.survivesRestart,
}

/** What pages with elements show besides. */
function pagesOf({ withoutScript, navigation }: Traits): Readonly<Record<string, Check>> {
  return {
    ...EVERY_PAGE,
    ...(withoutScript === 'nothing'
      ? {}
      : { [`shows without scripts the ${withoutScript} of each plant`]: checks.rendersFirstText }),
    'has live cards if the elements are defined after the page is rendered': checks.upgradesLate,
    ...(navigation === 'client'
      ? { 'has live cards if the framework creates defined elements': checks.createsDefined }
      : {}),
    'leaves no socket, no listener and no card behind in 50 navigations': checks.leavesNothing,
  }
}

function traitsOf(name: string): Traits {
  const traits = EXAMPLE_TRAITS[name]
  if (traits === undefined) throw new Error(`examples/${name} has no line in EXAMPLE_TRAITS`)
  return traits
}

export function testExample(name: string): Tested {
  const traits = traitsOf(name)
  let opened: Stage | null = null
  const stage = (): Stage => {
    if (opened === null) throw new Error('The stage is not open.')
    return opened
  }

  beforeAll(async () => {
    opened = await Stage.open(traits, async (settings) => {
      const example = new Example(name)
      await example.install(inject('packed'))
      await example.build(settings)
      return example.start('start', settings)
    })
  })
  // A check that has failed leaves its page open.
  afterEach(() => opened?.closePages())
  afterAll(() => opened?.close())

  const testPage = (
    base: string,
    rendered: Rendered,
    all: Readonly<Record<string, Check>>,
  ): void => {
    describe(`the page ${base}`, () => {
      test.each(Object.entries(all))('%s', (_, check) =>
        check({ stage: stage(), traits, base, rendered }),
      )
    })
  }
  for (const base of ['/', ...(traits.bases ?? [])]) testPage(base, 'element', pagesOf(traits))
  for (const path of traits.ownMarkup ?? []) testPage(path, 'own markup', EVERY_PAGE)
  return { stage, visit: (path, options) => Visit.open(stage(), path, options) }
}

/** The development server of an example with React: strict mode mounts every component twice. */
export function testStrictMode(name: string, pages: Readonly<Record<string, Rendered>>): void {
  const what = 'the development server, in strict mode, shows live connections over one socket'
  // It compiles each page at its first request.
  test(what, { timeout: 300_000 }, async () => {
    const traits = traitsOf(name)
    const stage = await Stage.open(traits, (settings) =>
      Promise.resolve(new Example(name).start('dev', settings)),
    )
    try {
      for (const [base, rendered] of Object.entries(pages)) {
        const before = stage.door.handshakes
        await checks.changesLive({ stage, traits, base, rendered })
        expect(stage.door.handshakes - before, base).toBe(1)
      }
    } finally {
      await stage.close()
    }
  })
}
