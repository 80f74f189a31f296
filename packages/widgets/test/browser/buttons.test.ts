/** Position and width of the buttons, and how long a question stays open. */
import { aTimeout, expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusControl } from '../../src/index.ts'
import '../../src/define.ts'
import { accepted, button, part, serve, show, shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer

function inside(element: Element, selector: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(selector)
  if (!found) throw new Error(`No ${selector}: ${text(element)}`)
  return found
}

function box(element: Element, selector: string): DOMRect {
  return inside(element, selector).getBoundingClientRect()
}

async function put<T extends MqttStatusCard | MqttStatusControl>(
  template: ReturnType<typeof html>,
  px: number = 400,
): Promise<T> {
  const element = await show<T>(server, template)
  if (element.parentElement) element.parentElement.style.inlineSize = `${px}px`
  await shown(element, 'link-live')
  // By now the words of the element's language are loaded.
  await waitUntil(() => element.lang !== 'it' || /Disconnetti|Connetti/.test(text(element)))
  return element
}

function cardIn(lang: string, px: number): Promise<MqttStatusCard> {
  return put(
    html`<mqtt-status-card connection-id="plant-7" lang=${lang} confirm="all"></mqtt-status-card>`,
    px,
  )
}

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
})

describe('two buttons', () => {
  beforeEach(() => {
    server = new FakeServer({ rows: [row({ status: 'failed', reason: 'quota' })] })
  })

  it('both have their icon, also without visible labels', async () => {
    const control = await put(
      html`<mqtt-status-control
        connection-id="plant-7"
        lang="en"
        label-hidden
      ></mqtt-status-control>`,
    )
    for (const name of ['.main', '.second']) {
      expect(box(control, `${name} svg`).width).to.equal(14)
      expect(box(control, name)).to.include({ width: 32, height: 32 })
    }
    expect(box(control, '.main').top).to.equal(box(control, '.second').top)
  })

  it('are equally wide: side by side where both fit, below each other over the whole width where not', async () => {
    const wide = await cardIn('en', 500)
    expect(box(wide, '.main').top).to.equal(box(wide, '.second').top)
    expect(box(wide, '.main').width).to.equal(box(wide, '.second').width)
    const narrow = await cardIn('en', 240)
    expect(box(narrow, '.main').bottom).to.be.lessThan(box(narrow, '.second').top)
    for (const name of ['.main', '.second']) {
      expect(box(narrow, name).left).to.equal(box(narrow, '.foot').left)
      expect(box(narrow, name).right).to.equal(box(narrow, '.foot').right)
    }
  })
})

for (const lang of ['en', 'it']) {
  it(`a single button is as wide as its longest label, and fits into a card of 200 px: ${lang}`, async () => {
    const wide = await cardIn(lang, 500)
    expect(box(wide, '.main').width).to.be.lessThan(200)
    const narrow = await cardIn(lang, 200)
    narrow.style.setProperty('--mqtt-status-font', 'serif')
    narrow.style.fontSize = '17px'
    expect(box(narrow, '.main').left).to.be.at.least(box(narrow, '.icon').left)
    expect(box(narrow, '.main').right).to.be.at.most(box(narrow, '.foot').right)
    expect(box(narrow, '.face').left).to.be.at.least(box(narrow, '.main').left)
  })

  it(`the two answers stand side by side, and below a question that leaves no room: ${lang}`, async () => {
    const card = await cardIn(lang, 200)
    card.style.fontSize = '17px'
    button(card).click()
    await waitUntil(() => card.shadowRoot?.querySelector('.yes'))
    expect(box(card, '.yes').top).to.equal(box(card, '.no').top)
    expect(box(card, '#ask').bottom).to.be.at.most(box(card, '.yes').top)
    expect(box(card, '.yes').left).to.be.at.least(box(card, '.foot').left)
    expect(box(card, '.yes').width).to.be.at.least(44)
  })
}

it('a control is only as wide as its button and its text', async () => {
  const control = await put<MqttStatusControl>(
    html`<mqtt-status-control
      connection-id="plant-7"
      lang="en"
      action="connect"
    ></mqtt-status-control>`,
    600,
  )
  expect(part(control, 'message')?.textContent?.trim()).to.equal('Already connected')
  expect(control.getBoundingClientRect().width).to.equal(box(control, '.main').width)
  control.labelHidden = true
  await control.updateComplete
  expect(control.getBoundingClientRect().width).to.equal(box(control, '#message').width)
  await expect(control).to.be.accessible()
})

it('controls with and without labels are aligned with the baseline of the text around them', async () => {
  const control = await put<MqttStatusControl>(
    html`<mqtt-status-control connection-id="plant-7" lang="en"></mqtt-status-control>`,
    600,
  )
  const icon = document.createElement('mqtt-status-control')
  Object.assign(icon, { connectionId: 'plant-7', labelHidden: true, client: server.client })
  const line = control.parentElement as HTMLElement
  line.style.font = '18px/28px serif'
  line.append(' Words ', icon)
  await shown(icon, 'link-live')
  await waitUntil(() => icon.shadowRoot?.querySelector('.main'))
  expect(Math.abs(box(icon, '.main').top - box(control, '.main').top)).to.be.at.most(1)
  for (const display of ['flex', 'block']) {
    line.style.display = display
    line.style.alignItems = 'baseline'
    expect(Math.abs(box(icon, '.main').top - box(control, '.main').top)).to.be.at.most(1)
  }
})

function luminance(color: string): number {
  const pixel = new OffscreenCanvas(1, 1).getContext('2d')
  if (!pixel) throw new Error('no canvas')
  pixel.fillStyle = color
  pixel.fillRect(0, 0, 1, 1)
  const [red = 0, green = 0, blue = 0] = [...pixel.getImageData(0, 0, 1, 1).data].map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

for (const theme of ['light', 'dark']) {
  it(`a button has a visible edge and its own surface: ${theme}`, async () => {
    const control = await put(
      html`<mqtt-status-control
        connection-id="plant-7"
        lang="en"
        theme=${theme}
      ></mqtt-status-control>`,
    )
    const style = getComputedStyle(button(control))
    const { borderTopColor, backgroundColor } = style
    const [one = 0, other = 0] = [luminance(borderTopColor), luminance(backgroundColor)].sort()
    expect((other + 0.05) / (one + 0.05)).to.be.at.least(3)
    expect(backgroundColor).to.equal(theme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(21, 25, 30)')
    // WebKit has the property under its prefixed name only.
    const selection = style.getPropertyValue(
      CSS.supports('user-select', 'none') ? 'user-select' : '-webkit-user-select',
    )
    expect(selection).to.equal('none')
  })
}

it('a page can style every button by its part', async () => {
  const card = await cardIn('en', 400)
  button(card).click()
  await waitUntil(() => part(card, 'confirm'))
  expect(part(card, 'confirm')?.textContent).to.equal('Yes')
  expect(part(card, 'cancel')?.textContent).to.equal('No')
  part(card, 'cancel')?.click()
  server.push({ status: 'failed', reason: 'quota', detail: 'Quota exceeded' })
  await waitUntil(() => part(card, 'details'))
  expect(part(card, 'copy')?.textContent?.trim()).to.equal('Copy details')
})

describe('a question', () => {
  it('closes when another viewer has sent the command, and moves the focus to no command button', async () => {
    const asked = serve(() => accepted())
    server = new FakeServer({ rows: [row({ status: 'disconnected', desired: 'disconnected' })] })
    const card = await cardIn('en', 400)
    button(card).click()
    await waitUntil(() => card.shadowRoot?.activeElement?.classList.contains('no'))
    const yes = inside(card, '.yes')
    server.push({ status: 'connected', desired: 'connected' })
    // Once before the element renders the change, and once after.
    yes.click()
    await waitUntil(() => card.shadowRoot?.querySelector('.yes') === null)
    expect(text(card)).to.contain('Disconnect')
    expect(card.shadowRoot?.activeElement?.id).to.equal('name')
    yes.click()
    await aTimeout(100)
    expect(asked).to.have.length(0)
  })

  it('stays open while its command is on offer, although the status changes', async () => {
    const card = await cardIn('en', 400)
    button(card).click()
    await waitUntil(() => card.shadowRoot?.querySelector('.yes'))
    server.push({ status: 'reconnecting', since: new Date().toISOString() })
    await shown(card, 'reconnecting')
    expect(inside(card, '.yes').textContent).to.equal('Yes')
  })
})
