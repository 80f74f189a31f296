/** Every boolean attribute of custom-elements.json: the text `false` is off. */
import { expect, waitUntil } from '@open-wc/testing'
import type { CSSResult, LitElement } from 'lit'
import '../../src/define.ts'
import { shown } from './stage.ts'
import { FakeServer } from './fake-server.ts'

interface Manifest {
  readonly modules: readonly {
    readonly declarations: readonly {
      readonly tagName: string
      readonly attributes: readonly {
        readonly name: string
        readonly fieldName: string
        readonly type: { readonly text: string }
      }[]
    }[]
  }[]
}

const PACKAGE = new URL('../../', import.meta.url)

async function read(path: string): Promise<string> {
  return (await fetch(new URL(path, PACKAGE))).text()
}

const manifest = JSON.parse(await read('custom-elements.json')) as Manifest
const flags = manifest.modules
  .flatMap(({ declarations }) => declarations)
  .flatMap(({ tagName, attributes }) =>
    attributes
      .filter(({ type }) => type.text === 'boolean')
      .map(({ name, fieldName }) => ({ tagName, name, fieldName })),
  )

/** The values that templates and frameworks write; `null` = no attribute. */
const TEXTS: readonly (readonly [text: string | null, isOn: boolean])[] = [
  [null, false],
  ['', true],
  ['true', true],
  ['on', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
  [' false ', false],
]

/** The values that scripts set. */
const VALUES: readonly (readonly [value: unknown, isOn: boolean])[] = [
  [true, true],
  [false, false],
  [null, false],
  [undefined, false],
  ['', true],
  ['true', true],
  ['false', false],
]

/** Whether an element of the page looks as if the attribute were set. */
const LOOKS: Readonly<Record<string, (element: HTMLElement) => boolean>> = {
  'label-hidden': (element) => element.shadowRoot?.querySelector('.iconic') != null,
  'hide-when-live': (element) => getComputedStyle(element).display === 'none',
}

let server: FakeServer
let element: (LitElement & { client: unknown }) | undefined

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  element?.remove()
  element = undefined
  server.client.close()
})

async function put(tagName: string, prepare: (element: HTMLElement) => void): Promise<HTMLElement> {
  const one = document.createElement(tagName) as LitElement & { client: unknown }
  element = one
  element.setAttribute('connection-id', 'plant-7')
  element.client = server.client
  prepare(one)
  document.body.append(one)
  await shown(one, 'link-live')
  return one
}

it('every boolean attribute of the manifest has a test of its look', () => {
  expect(flags.map(({ name }) => name).toSorted()).to.deep.equal(Object.keys(LOOKS).toSorted())
})

for (const { tagName, name, fieldName } of flags) {
  for (const [text, isOn] of TEXTS) {
    it(`<${tagName}> reads ${name}${text === null ? ' that is absent' : `="${text}"`} as ${isOn ? 'on' : 'off'}`, async () => {
      const shownOne = await put(tagName, (one) => {
        if (text !== null) one.setAttribute(name, text)
      })
      expect(Reflect.get(shownOne, fieldName)).to.equal(isOn)
      await waitUntil(() => LOOKS[name]?.(shownOne) === isOn, 'the look')
    })
  }

  for (const [value, isOn] of VALUES) {
    it(`takes ${fieldName} = ${JSON.stringify(value)} of <${tagName}> for ${isOn ? 'on' : 'off'}`, async () => {
      const shownOne = await put(tagName, (one) => Reflect.set(one, fieldName, value))
      await waitUntil(() => LOOKS[name]?.(shownOne) === isOn, 'the look')
      Reflect.set(shownOne, fieldName, !isOn)
      await waitUntil(() => LOOKS[name]?.(shownOne) === !isOn, 'the other look')
    })
  }

  it(`the style sheets treat ${name}="false" as off`, async () => {
    const { elementStyles } = customElements.get(tagName) as typeof LitElement
    const own = elementStyles.map((style) => (style as CSSResult).cssText)
    const sheets = [...own, await read('preload.css')]
    const bare = sheets.flatMap((css) => [
      ...css.matchAll(new RegExp(`\\[${name}\\](.{0,40})`, 'g')),
    ])
    const wrong = bare.filter(([, after]) => !after?.startsWith(`:not([${name}='false' i])`))
    expect(wrong.map(([all]) => all)).to.deep.equal([])
  })
}
