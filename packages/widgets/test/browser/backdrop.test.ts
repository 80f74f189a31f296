/** In development an element says that it stands light on a dark page. */
import { expect, html } from '@open-wc/testing'
import type { TemplateResult } from 'lit'
import type { MqttStatusBadge } from '../../src/index.ts'
import '../../src/define.development.ts'
import { show } from './stage.ts'
import { Wire } from './wire.ts'

const WHAT = 'The page is dark, this element is not.'

let wire: Wire

beforeEach(() => {
  wire = new Wire()
})

afterEach(() => {
  wire.client.close()
  document.body.style.cssText = ''
  document.documentElement.className = ''
})

/** What is said on a surface of this style, inside a page of that one. */
async function said(
  page: string,
  surface: string,
  template: TemplateResult = html`<mqtt-status-badge connection-id="plant-7"></mqtt-status-badge>`,
): Promise<string> {
  const element = await show<MqttStatusBadge>(wire, template)
  document.body.style.cssText = page
  // The stage has a surface of its own.
  if (element.parentElement) element.parentElement.style.cssText = surface
  element.requestUpdate()
  await element.updateComplete
  return element.shadowRoot?.querySelector('.mistakes')?.textContent ?? ''
}

for (const page of ['#111', 'rgb(20 20 40)', 'oklch(0.2 0.05 250)', 'color(display-p3 0 0.1 0.2)'])
  it(`is said on ${page}`, async () => {
    expect(await said(`background: ${page}`, '')).to.contain(WHAT)
    expect(await said(`background: ${page}`, 'background: #ffffff14')).to.contain(WHAT)
    expect(await said(`background: ${page}; color-scheme: dark`, '')).to.equal('')
    expect(await said(`background: ${page}`, 'background: white')).to.equal('')
  })

it('is said on a dark surface of a light page, also from inside a shadow root', async () => {
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

it('does not warn on a light page, nor where no background colour can be read', async () => {
  expect(await said('background: #eee', '')).to.equal('')
  expect(await said('', '')).to.equal('')
  expect(await said('background: linear-gradient(black, white), black', '')).to.equal('')
  document.documentElement.className = 'dark'
  expect(await said('', '')).to.contain(WHAT)
})

it('is not said to those who have named their theme', async () => {
  for (const theme of ['light', 'dark'])
    expect(
      await said(
        'background: #111',
        '',
        html`<mqtt-status-badge connection-id="plant-7" theme=${theme}></mqtt-status-badge>`,
      ),
    ).to.equal('')
})
