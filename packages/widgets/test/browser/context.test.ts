/** The context protocol with elements that use `@lit/context` only. */
import { ContextConsumer, ContextProvider, createContext } from '@lit/context'
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import { LitElement } from 'lit'
import type { MqttStatusCard, MqttStatusProvider, StatusClient } from '../../src/index.ts'
import { clientFor } from '../../src/index.ts'
import '../../src/define.ts'

type Provided = StatusClient | null | undefined

const context = createContext<Provided, symbol>(Symbol.for('mqtt-status.client'))

class Outsider extends LitElement {
  readonly nearest = new ContextConsumer(this, { context, subscribe: true })
}

class Giver extends LitElement {
  readonly given = new ContextProvider(this, { context, initialValue: client('http://given.test') })
  override createRenderRoot(): HTMLElement {
    return this
  }
}

customElements.define('test-outsider', Outsider)
customElements.define('test-giver', Giver)

function client(src: string): StatusClient {
  return clientFor({ src })
}

function clientOf(element: Element): unknown {
  return Reflect.get(Reflect.get(element, 'clients') as object, 'current')
}

it('an element of the page gets the client of a provider, and the next client after a change', async () => {
  const provider = await fixture<MqttStatusProvider>(
    html`<mqtt-status-provider src="http://one.test">
      <test-outsider></test-outsider>
    </mqtt-status-provider>`,
  )
  const outsider = provider.querySelector('test-outsider') as Outsider
  expect(outsider.nearest.value).to.equal(client('http://one.test'))
  provider.src = 'http://two.test'
  await waitUntil(() => outsider.nearest.value === client('http://two.test'), 'the next client')
})

it('a card uses the client of a context provider of the page', async () => {
  const giver = await fixture<Giver>(
    html`<test-giver><mqtt-status-card connection-id="a"></mqtt-status-card></test-giver>`,
  )
  const card = giver.querySelector('mqtt-status-card') as MqttStatusCard
  await waitUntil(() => clientOf(card) === client('http://given.test'), 'the given client')
  giver.given.setValue(client('http://next.test'))
  await waitUntil(() => clientOf(card) === client('http://next.test'), 'the next client')
})

it('a card changes its client with a provider that is inserted, removed, or defined late', async () => {
  const page = await fixture(
    html`<div>
      <mqtt-status-provider src="http://outer.test"><div></div></mqtt-status-provider>
      <section></section>
    </div>`,
  )
  const [inside, outside] = [page.querySelector('div'), page.querySelector('section')]
  if (!inside || !outside) throw new Error('The page is not there')
  const card = document.createElement('mqtt-status-card')
  card.connectionId = 'a'
  inside.append(card)
  await waitUntil(() => clientOf(card) === client('http://outer.test'), 'the outer provider')
  const inner = document.createElement('mqtt-status-provider')
  inner.src = 'http://inner.test'
  inside.append(inner)
  inner.append(card)
  await waitUntil(() => clientOf(card) === client('http://inner.test'), 'the inner provider')
  outside.append(card)
  page.querySelector('mqtt-status-provider')?.remove()
  await waitUntil(() => clientOf(card) === null, 'no provider')
  const late = document.createElement('mqtt-status-provider')
  late.setAttribute('src', 'http://late.test')
  page.append(late)
  late.append(outside)
  await waitUntil(() => clientOf(card) === client('http://late.test'), 'the late provider')
})
