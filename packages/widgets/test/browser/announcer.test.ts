import { aTimeout, expect, fixture, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { listen, show, shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

const IDS = ['a', 'b', 'c']
let server: FakeServer
let said: readonly string[]
let stopListening: () => void

async function cards(
  attributes: { announce?: string; lang?: string } = {},
): Promise<MqttStatusCard[]> {
  const made: MqttStatusCard[] = []
  for (const id of IDS) {
    const card = await show<MqttStatusCard>(
      server,
      html`<mqtt-status-card
        connection-id=${id}
        lang=${attributes.lang ?? 'en'}
        announce=${attributes.announce ?? 'problems'}
      ></mqtt-status-card>`,
    )
    await shown(card, 'link-live')
    made.push(card)
  }
  return made
}

function region(home: Element = document.body): string {
  return [...home.querySelectorAll(':scope > [data-mqtt-status-announcer]')]
    .map((found) => found.textContent)
    .join('')
}

beforeEach(() => {
  ;({ said, stop: stopListening } = listen())
  server = new FakeServer({ rows: IDS.map((id) => row({ id, name: `Plant ${id}` })) })
})

afterEach(() => {
  stopListening()
  server.client.close()
})

it('the announcer adds name and reason to a single problem', async () => {
  await cards()
  server.push({ id: 'a', status: 'failed', reason: 'bad_credentials' })
  await waitUntil(() => said.length > 0, 'something to be said', { timeout: 3_000 })
  expect(said).to.deep.equal(['Plant a: Error. The broker refused the credentials'])
})

it('the announcer sums up simultaneous changes in one sentence', async () => {
  await cards()
  server.push({ id: 'a', status: 'failed', reason: 'quota' })
  server.push({ id: 'b', status: 'failed', reason: 'quota' })
  server.push({ id: 'c', status: 'disconnected', reason: 'admin_action' })
  await waitUntil(() => said.length > 0, 'something to be said', { timeout: 3_000 })
  expect(said).to.deep.equal(['3 connections changed: 2 errors, 1 lost'])
})

it('the announcer names a connection once, however many elements show it', async () => {
  await cards()
  await cards()
  server.push({ id: 'a', status: 'failed', reason: 'quota' })
  await waitUntil(() => said.length > 0, 'something to be said', { timeout: 3_000 })
  expect(said).to.have.length(1)
})

it('an element announces problems only, unless announce is "all"', async () => {
  const [first] = await cards()
  server.push({ id: 'a', status: 'disconnected', desired: 'disconnected' })
  if (first) await shown(first, 'disconnected')
  const all = await cards({ announce: 'all' })
  server.push({ id: 'b', status: 'disconnected', desired: 'disconnected' })
  await waitUntil(() => said.length > 0, 'something to be said', { timeout: 3_000 })
  expect(said).to.deep.equal(['Plant b: Disconnected'])
  expect(all).to.have.length(3)
})

it('an element with announce="off" announces nothing', async () => {
  const [first] = await cards({ announce: 'off' })
  server.push({ id: 'a', status: 'failed', reason: 'quota' })
  if (first) await shown(first, 'failed')
  await aTimeout(1_300)
  expect(said).to.deep.equal([])
})

it('the announcer reports a stale link once for the whole page', async () => {
  const [first] = await cards()
  server.mute = true
  server.close()
  if (first) await shown(first, 'stale')
  await waitUntil(() => said.length > 0)
  expect(said).to.deep.equal(['Updates paused, reconnecting…'])
})

it('an announcement in another language than the page has that lang, also in an open dialog', async () => {
  const [first] = await cards({ lang: 'it' })
  await waitUntil(() => first && text(first).includes('Connesso'), 'the language', {
    timeout: 5_000,
  })
  const dialog = await fixture<HTMLDialogElement>(html`<dialog><button>OK</button></dialog>`)
  dialog.showModal()
  server.push({ id: 'a', status: 'failed', reason: 'bad_credentials' })
  await waitUntil(() => region(dialog) !== '', 'the region in the dialog', { timeout: 3_000 })
  expect(region(dialog)).to.equal('Plant a: Errore. Il broker ha rifiutato le credenziali')
  expect(dialog.querySelector('[data-mqtt-status-announcer] p')?.getAttribute('lang')).to.equal(
    'it',
  )
})

it('the announcer uses live regions only, also where the browser has ariaNotify', async () => {
  const page = document as { ariaNotify?: unknown }
  const voice: unknown[] = []
  page.ariaNotify = (message: unknown) => voice.push(message)
  try {
    await cards()
    server.push({ id: 'c', status: 'failed', reason: 'quota' })
    await waitUntil(() => region().includes('Plant c: Error'), 'the region', { timeout: 3_000 })
    expect(said).to.have.length(1)
    expect(voice).to.deep.equal([])
  } finally {
    delete page.ariaNotify
  }
})

it('the page has one status and one alert region, which are not atomic and take no room', async () => {
  await cards()
  const before = document.documentElement.scrollHeight
  server.push({ id: 'a', status: 'failed', reason: 'quota' })
  await waitUntil(() => said.length === 1, 'the first', { timeout: 3_000 })
  server.push({ id: 'b', status: 'failed', reason: 'quota' })
  await waitUntil(() => said.length === 2, 'the second', { timeout: 3_000 })
  const regions = document.querySelectorAll('body > [data-mqtt-status-announcer]')
  expect(regions).to.have.length(1)
  expect(regions[0]?.role).to.equal('status')
  expect(regions[0]?.ariaAtomic).to.equal('false')
  expect(regions[0]?.getBoundingClientRect().width).to.equal(1)
  expect(document.documentElement.scrollHeight).to.equal(before)
})
