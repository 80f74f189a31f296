/** Elements in the documents of iframes and popups: a page moves them there, or creates them here and appends them there. */
import { expect, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusProvider } from '../../src/index.ts'
import '../../src/define.ts'
import { shown, text } from './stage.ts'
import { FakeServer } from './fake-server.ts'

interface Place {
  readonly page: Document
  close(): void
}

const PLACES: Readonly<Record<string, () => Place>> = {
  'an iframe': () => {
    const frame = document.createElement('iframe')
    document.body.append(frame)
    if (!frame.contentDocument) throw new Error('The iframe has no document')
    return {
      page: frame.contentDocument,
      close: () => {
        frame.remove()
      },
    }
  },
  'a popup': () => {
    const popup = window.open('', '', 'width=600,height=400')
    if (!popup) throw new Error('The browser blocks popups')
    return {
      page: popup.document,
      close: () => {
        popup.close()
      },
    }
  },
}

const TAGS = ['card', 'badge', 'control', 'live'] as const

type Element = HTMLElement & { client: unknown; readonly updateComplete: Promise<boolean> }

let server: FakeServer
let place: Place

function make(tag: string): Element {
  const element = document.createElement(`mqtt-status-${tag}`) as Element
  element.setAttribute('connection-id', 'plant-7')
  element.setAttribute('lang', 'en')
  element.client = server.client
  return element
}

/** An effect of the element's style sheet: the padding of a card, the display of the others. */
function look(element: Element): string {
  const { defaultView } = element.ownerDocument
  const inner = element.shadowRoot?.querySelector(
    '[part~=card], [part~=badge], [part~=control], [part~=live]',
  )
  if (!defaultView || !inner) return 'not drawn'
  const own = defaultView.getComputedStyle(element)
  const { padding, display, borderRadius } = defaultView.getComputedStyle(inner)
  return [own.display, padding, display, borderRadius].join(' ')
}

async function isDrawn(element: Element): Promise<void> {
  await shown(element, 'link-live')
  await element.updateComplete
}

/** The look of an element in the document that defines it. */
async function lookAtHome(tag: string): Promise<string> {
  const element = make(tag)
  document.body.append(element)
  await isDrawn(element)
  const drawn = look(element)
  element.remove()
  return drawn
}

for (const [name, open] of Object.entries(PLACES)) {
  describe(`in ${name}`, () => {
    beforeEach(() => {
      server = new FakeServer()
      place = open()
    })

    afterEach(() => {
      place.close()
      server.client.close()
    })

    for (const tag of TAGS) {
      it(`a ${tag} keeps its style sheets when it moves there, and when it moves back`, async () => {
        const home = await lookAtHome(tag)
        const element = make(tag)
        document.body.append(element)
        await isDrawn(element)
        place.page.body.append(element)
        await isDrawn(element)
        expect(look(element)).to.equal(home)
        document.body.append(element)
        await isDrawn(element)
        expect(look(element)).to.equal(home)
        place.page.body.append(element)
        expect(look(element)).to.equal(home)
        element.remove()
      })

      it(`a ${tag} that is created here and first appended there renders`, async () => {
        const home = await lookAtHome(tag)
        const element = make(tag)
        place.page.body.append(element)
        await isDrawn(element)
        expect(look(element)).to.equal(home)
      })
    }

    it('more cards than render at once all render there', async () => {
      const cards = Array.from({ length: 60 }, () => make('card'))
      place.page.body.append(...cards)
      await waitUntil(
        () => cards.every((card) => text(card).includes('Connected')),
        'all have rendered',
        {
          timeout: 5_000,
        },
      )
      expect(new Set(cards.map(look)).size).to.equal(1)
    })

    it('elements use names in nodes of that document, and its language', async () => {
      const element = make('card') as MqttStatusCard
      element.removeAttribute('lang')
      const name = place.page.createElement('b')
      name.slot = 'name'
      name.textContent = 'Seven'
      element.append(name)
      place.page.documentElement.lang = 'it'
      place.page.body.append(element)
      await isDrawn(element)
      await waitUntil(() => text(element).includes('Connesso'), 'Italian')
      expect(place.page.querySelector('mqtt-status-card')).to.equal(element)
    })

    it('a provider there gives its client to cards there, in either order', async () => {
      const card = make('card') as MqttStatusCard
      card.client = null
      const provider = document.createElement('mqtt-status-provider') as MqttStatusProvider
      provider.setAttribute('src', 'http://there.test/')
      place.page.body.append(card)
      await card.updateComplete
      expect(text(card)).to.contain('No server')
      place.page.body.append(provider)
      await waitUntil(() => !text(card).includes('No server'), 'the client of the provider')
      provider.client?.close()
    })

    it('changes are announced in the document that shows the element', async () => {
      place.page.documentElement.lang = 'xx'
      const element = make('card')
      place.page.body.append(element)
      await isDrawn(element)
      server.push({ status: 'failed', reason: 'bad_credentials' })
      const said = (page: Document): string =>
        page.querySelector('[data-mqtt-status-announcer]')?.textContent ?? ''
      await waitUntil(() => said(place.page).includes('Impianto 7'), 'the announcement', {
        timeout: 5_000,
      })
      expect(said(document)).not.to.contain('Impianto 7')
    })
  })
}
