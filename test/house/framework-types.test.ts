/** What the types for templates of frameworks accept, and that they say the same as the elements do. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const WIDGETS = fileURLToPath(new URL('../../packages/widgets/', import.meta.url))

interface Element {
  readonly tagName?: string
  readonly attributes: readonly {
    readonly name: string
    readonly type: { readonly text: string }
  }[]
}

/** Compiles files that exist only here, on the sources instead of a build. */
function compile(files: Readonly<Record<string, string>>): Readonly<Record<string, string[]>> {
  const texts = new Map(Object.entries(files).map(([name, text]) => [WIDGETS + name, text]))
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    jsx: ts.JsxEmit.ReactJSX,
    lib: ['lib.es2025.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    useDefineForClassFields: false,
    allowImportingTsExtensions: true,
    noEmit: true,
    paths: {
      '@mqtt-status/widgets': [`${WIDGETS}src/index.ts`],
      '@mqtt-status/widgets/*': [`${WIDGETS}types/*.d.ts`],
    },
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => texts.has(name) || fileExists(name)
  host.readFile = (name) => texts.get(name) ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const text = texts.get(name)
    return text === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, text, ts.ScriptTarget.ES2024, true)
  }
  const program = ts.createProgram([...texts.keys()], options, host)
  return Object.fromEntries(
    [...texts.keys()].map((path) => [
      path.slice(WIDGETS.length),
      ts.getPreEmitDiagnostics(program, program.getSourceFile(path)).map(inWords),
    ]),
  )
}

function inWords({ messageText, file, start = 0 }: ts.Diagnostic): string {
  const line = file?.getLineAndCharacterOfPosition(start).line ?? 0
  return `${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
}

const REACT = `import type {} from '@mqtt-status/widgets/react'
import type { StatusClient } from '@mqtt-status/widgets'
declare const client: StatusClient
export const right = (
  <mqtt-status-provider src="/mqtt" token-src="/token" getToken={() => 'x'} pause-hidden={60}>
    <mqtt-status-card key="a" class="x" className="y" connection-id="a" heading-level="2" client={client}
      ref={(card) => void card?.connect()} onmqtt-status-change={({ detail }) => detail.previous.id}>A</mqtt-status-card>
    <mqtt-status-badge variant="dot" size="s" style={{ color: 'red' }} />
    <mqtt-status-control action="reconnect" label-hidden confirm="all" />
    <mqtt-status-live hide-when-live slot="x" />
  </mqtt-status-provider>
)
`

const COMPONENTS = `import { MqttStatusBadge, MqttStatusCard, MqttStatusControl, MqttStatusLive, MqttStatusProvider } from '@mqtt-status/widgets/react'
import type { MqttStatusProps } from '@mqtt-status/widgets/react'
declare const client: MqttStatusProps<'mqtt-status-card'>['client']
export const right = (
  <MqttStatusProvider src="/mqtt" tokenSrc="/token" getToken={async () => ({ token: 'x', expiresIn: 600 })} pauseHidden={60}>
    <MqttStatusCard key="a" className="y" connectionId="a" headingLevel={2} client={client} strings={{ look: { connected: 'Online' } }}
      ref={(card) => void card?.connect()} onMqttStatusChange={({ detail }) => detail.previous.id}>A</MqttStatusCard>
    <MqttStatusBadge variant="dot" size={undefined} style={{ color: 'red' }} />
    <MqttStatusControl action="reconnect" labelHidden confirm="all" onMqttStatusCommandEnd={({ detail }) => detail.outcome} />
    <MqttStatusLive hideWhenLive slot="x" />
  </MqttStatusProvider>
)
`

const COMPONENTS_WRONG = `import { MqttStatusBadge, MqttStatusCard, MqttStatusControl, MqttStatusLive } from '@mqtt-status/widgets/react'
export const words = [
  <MqttStatusBadge variant="dots" />,
  <MqttStatusCard connectionId={7} />,
  <MqttStatusControl onMqttStatusError={({ detail }) => detail.nothing} />,
  <MqttStatusLive hidewhenlive />,
]
`

const REACT_WRONG = `import type {} from '@mqtt-status/widgets/react'
export const words = [
  <mqtt-status-badge variant="dots" />,
  <mqtt-status-card connection-id={7} />,
  <mqtt-status-control onmqtt-status-error={({ detail }) => detail.nothing} />,
  <mqtt-status-live hidewhenlive />,
]
`

const PREACT = `/** @jsxImportSource preact */
import type {} from '@mqtt-status/widgets/preact'
import type { StatusClient } from '@mqtt-status/widgets'
declare const client: StatusClient
export const right = (
  <mqtt-status-provider src="/mqtt" token-src="/token" getToken={() => 'x'} pause-hidden={60}>
    <mqtt-status-card key="a" class="x" connection-id="a" heading-level="2" client={client}
      ref={(card) => void card?.connect()} onmqtt-status-change={({ detail }) => detail.previous.id}>A</mqtt-status-card>
    <mqtt-status-badge variant="dot" size="s" style={{ color: 'red' }} onClick={({ currentTarget }) => currentTarget.refresh()} />
    <mqtt-status-control action="reconnect" label-hidden confirm="all" />
    <mqtt-status-live hide-when-live slot="x" />
  </mqtt-status-provider>
)
`

const PREACT_WRONG = `/** @jsxImportSource preact */
import type {} from '@mqtt-status/widgets/preact'
export const words = [
  <mqtt-status-badge variant="dots" />,
  <mqtt-status-card connection-id={7} />,
  <mqtt-status-control onmqtt-status-error={({ detail }) => detail.nothing} />,
  <mqtt-status-live hidewhenlive />,
]
`

const SOLID = `/** @jsxImportSource solid-js */
import type {} from '@mqtt-status/widgets/solid'
import type { StatusClient } from '@mqtt-status/widgets'
declare const client: StatusClient
export const right = (
  <mqtt-status-provider src="/mqtt" token-src="/token" prop:getToken={() => 'x'} pause-hidden={60}>
    <mqtt-status-card class="x" classList={{ y: true }} connection-id="a" heading-level="2" client={client} prop:client={null}
      ref={(card) => void card.connect()} on:mqtt-status-change={({ detail }) => detail.previous.id}>A</mqtt-status-card>
    <mqtt-status-badge variant="dot" size="s" style={{ color: 'red' }} onClick={({ currentTarget }) => currentTarget.refresh()} />
    <mqtt-status-control action="reconnect" label-hidden confirm="all" on:mqtt-status-command-end={{ handleEvent: ({ detail }) => detail.outcome, once: true }} />
    <mqtt-status-live hide-when-live slot="x" />
  </mqtt-status-provider>
)
`

const SOLID_WRONG = `/** @jsxImportSource solid-js */
import type {} from '@mqtt-status/widgets/solid'
export const words = [
  <mqtt-status-badge variant="dots" />,
  <mqtt-status-card connection-id={7} />,
  <mqtt-status-control on:mqtt-status-error={({ detail }) => detail.nothing} />,
  <mqtt-status-live hidewhenlive />,
  <mqtt-status-provider prop:getToken={7} />,
]
`

const TEMPLATE = `import type { GlobalComponents } from 'vue'
import type {} from '@mqtt-status/widgets/vue'
type Card = InstanceType<GlobalComponents['mqtt-status-card']>
type Props = Card['$props']
export const right: Props = {
  connectionId: 'a', headingLevel: 2, controls: 'show', client: null, class: 'x', id: 'y', lang: 'it', key: 1, onClick: () => {},
  onMqttStatusChange: ({ detail }) => detail.previous.id, onMqttStatusCommandEnd: ({ detail }) => detail.outcome,
}
export const method = (card: Card) => card.disconnect()
export const wrongWord: Props = { controls: 'never' }
export const wrongType: Props = { connectionId: 7 }
export const wrongDetail: Props = { onMqttStatusChange: ({ detail }) => detail.nothing }
export const wrongEvent: Props = { onMqttStatusChang: () => {} }
export const wrongMethod = (card: Card) => card.disconect()
`

const PROPERTIES = `import type { MqttStatusBadge, MqttStatusCard, MqttStatusControl, MqttStatusLive, MqttStatusProvider } from '@mqtt-status/widgets'
declare const card: MqttStatusCard, badge: MqttStatusBadge, control: MqttStatusControl, live: MqttStatusLive, provider: MqttStatusProvider
card.controls = 'show'; card.confirm = null; card.headingLevel = '2'; card.time = undefined
badge.variant = 'dot'; badge.size = 's'; control.action = 'reconnect'; live.announce = 'off'
provider.transport = 'poll'; provider.share = 'tabs'
card.controls = 'nevr'
card.confirm = 'yes'
card.time = 'relativ'
card.announce = 'loud'
card.headingLevel = 7
badge.variant = 'dots'
badge.size = 'xl'
control.action = 'stop'
live.announce = 'on'
provider.transport = 'websocket'
provider.share = 'tab'
`

/** That the types are those of the manifest, as a file that compiles only if they are. */
function sameAsManifest(): string {
  const manifest = JSON.parse(readFileSync(`${WIDGETS}custom-elements.json`, 'utf8')) as {
    modules: { declarations: Element[] }[]
  }
  const elements = manifest.modules
    .flatMap(({ declarations }) => declarations)
    .filter(({ tagName }) => tagName)
  const wanted = elements.map(
    ({ tagName = '', attributes }) =>
      `'${tagName}': { ${attributes.map(({ name, type }) => `'${name}'?: ${typeOf(type.text)}`).join('; ')} }`,
  )
  expect(elements.length).toBe(5)
  return `import type { MqttStatusAttributes } from './types/elements.d.ts'
interface Wanted { ${wanted.join('; ')} }
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Flat<A> = { [Tag in keyof A]: { [Name in keyof A[Tag]]: A[Tag][Name] } }
export const same: Same<Flat<MqttStatusAttributes>, Flat<Wanted>> = true
`
}

/** One program for all: most of the time goes into the types of the DOM. */
const errors = compile({
  'right.tsx': REACT,
  'wrong.tsx': REACT_WRONG,
  'preact.tsx': PREACT,
  'preact-wrong.tsx': PREACT_WRONG,
  'solid.tsx': SOLID,
  'solid-wrong.tsx': SOLID_WRONG,
  'components.tsx': COMPONENTS,
  'components-wrong.tsx': COMPONENTS_WRONG,
  'template.ts': TEMPLATE,
  'same.ts': sameAsManifest(),
  'properties.ts': PROPERTIES,
})

test('every property that takes one of a few words refuses another one', () => {
  const wrong = PROPERTIES.split('\n').slice(5, -1)
  expect(wrong.length).toBe(11)
  expect(errors['properties.ts']).toEqual(
    wrong.map((line, index) => {
      const value = (line.split(' ').at(-1) ?? '').replaceAll(`'`, '"?')
      return expect.stringMatching(
        new RegExp(`^${index + 6}: Type '${value}' is not assignable`),
      ) as string
    }),
  )
})

test('JSX of React knows every element, and refuses a wrong word', () => {
  expect(errors['right.tsx']).toEqual([])
  expect(errors['wrong.tsx']).toEqual([
    expect.stringMatching(/^3: Type '"dots"' is not assignable/),
    expect.stringMatching(/^4: .*Type 'number' is not assignable/),
    expect.stringMatching(/^5: Property 'nothing' does not exist/),
    expect.stringMatching(/^6: .*Property 'hidewhenlive' does not exist/),
  ])
})

test('JSX of Preact knows every element, and refuses a wrong word', () => {
  expect(errors['preact.tsx']).toEqual([])
  expect(errors['preact-wrong.tsx']).toEqual([
    expect.stringMatching(/^4: Type '"dots"' is not assignable/),
    expect.stringMatching(/^5: .*Type 'number' is not assignable/),
    expect.stringMatching(/^6: Property 'nothing' does not exist/),
    expect.stringMatching(/^7: .*Property 'hidewhenlive' does not exist/),
  ])
})

test('JSX of Solid knows every element, and refuses a wrong word', () => {
  expect(errors['solid.tsx']).toEqual([])
  expect(errors['solid-wrong.tsx']).toEqual([
    expect.stringMatching(/^4: Type '"dots"' is not assignable/),
    expect.stringMatching(/^5: .*Type 'number' is not assignable/),
    expect.stringMatching(/^6: Property 'nothing' does not exist/),
    expect.stringMatching(/^7: .*Property 'hidewhenlive' does not exist/),
    expect.stringMatching(/^8: Type 'number' is not assignable/),
  ])
})

test('the components for React know every prop, and refuse a wrong word', () => {
  expect(errors['components.tsx']).toEqual([])
  expect(errors['components-wrong.tsx']).toEqual([
    expect.stringMatching(/^3: Type '"dots"' is not assignable/),
    expect.stringMatching(/^4: Type 'number' is not assignable/),
    expect.stringMatching(/^5: Property 'nothing' does not exist/),
    expect.stringMatching(/^6: .*Property 'hidewhenlive' does not exist/),
  ])
})

test('templates of Vue know every element by the names of props and listeners, and a ref is the element', () => {
  expect(errors['template.ts']).toEqual([
    expect.stringMatching(/^10: Type '"never"' is not assignable/),
    expect.stringMatching(/^11: Type 'number' is not assignable/),
    expect.stringMatching(/^12: Property 'nothing' does not exist/),
    expect.stringMatching(/^13: .*'onMqttStatusChang' does not exist/),
    expect.stringMatching(/^14: Property 'disconect' does not exist/),
  ])
})

test('the types say of every attribute what custom-elements.json says', () => {
  expect(errors['same.ts']).toEqual([])
})

/** As the manifest writes it, to what a template may hold: flags may be bare, numbers may be text. */
function typeOf(text: string): string {
  if (text === 'string') return text
  if (text === 'boolean') return `boolean | '' | 'true' | 'false'`
  if (text === 'number') return 'number | `${number}`'
  return text
    .split(' | ')
    .map((word) => (/^\d+$/.test(word) ? `${word} | '${word}'` : `'${word}'`))
    .join(' | ')
}
