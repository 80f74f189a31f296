/** In development a light element on a dark page shows a warning. */
import { expect, html } from '@open-wc/testing'
import type { TemplateResult } from 'lit'
import type { MqttStatusBadge } from '../../src/index.ts'
import '../../src/define.development.ts'
import { show } from './stage.ts'
import { FakeServer } from './fake-server.ts'

const WHAT = 'The page is dark, this element is not.'

let server: FakeServer

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
  document.body.style.cssText = ''
  document.documentElement.className = ''
})

/** The mistakes that an element shows on a surface with one style, in a page with another. */
async function said(
  page: string,
  surface: string,
  template: TemplateResult = html`<mqtt-status-badge connection-id="plant-7"></mqtt-status-badge>`,
): Promise<string> {
  const element = await show<MqttStatusBadge>(server, template)
  document.body.style.cssText = page
  // `show` gives the parent a background.
  if (element.parentElement) element.parentElement.style.cssText = surface
  element.requestUpdate()
  await element.updateComplete
  return element.shadowRoot?.querySelector('.mistakes')?.textContent ?? ''
}

for (const page of ['#111', 'rgb(20 20 40)', 'oklch(0.2 0.05 250)', 'color(display-p3 0 0.1 0.2)'])
  it(`a light element warns on a page with the background ${page}`, async () => {
    expect(await said(`background: ${page}`, '')).to.contain(WHAT)
    expect(await said(`background: ${page}`, 'background: #ffffff14')).to.contain(WHAT)
    expect(await said(`background: ${page}; color-scheme: dark`, '')).to.equal('')
    expect(await said(`background: ${page}`, 'background: white')).to.equal('')
  })

it('a light element warns on a dark surface of a light page, also inside a shadow root', async () => {
  expect(await said('background: white', 'background: #111')).to.contain(WHAT)
  const host = document.createElement('div')
  host.style.background = '#111'
  document.body.append(host)
  host.attachShadow({ mode: 'open' }).innerHTML =
    '<mqtt-status-badge connection-id="plant-7"></mqtt-status-badge>'
  const inner = host.shadowRoot?.querySelector('mqtt-status-badge')
  await inner?.updateComplete
  expect(inner?.shadowRoot?.querySelector('.mistakes')?.textContent).to.contain(WHAT)
  host.remove()
})

it('an element does not warn on a light page, nor where it can read no background colour', async () => {
  expect(await said('background: #eee', '')).to.equal('')
  expect(await said('', '')).to.equal('')
  expect(await said('background: linear-gradient(black, white), black', '')).to.equal('')
  document.documentElement.className = 'dark'
  expect(await said('', '')).to.contain(WHAT)
})

it('an element with a theme attribute does not warn', async () => {
  for (const theme of ['light', 'dark'])
    expect(
      await said(
        'background: #111',
        '',
        html`<mqtt-status-badge connection-id="plant-7" theme=${theme}></mqtt-status-badge>`,
      ),
    ).to.equal('')
})
