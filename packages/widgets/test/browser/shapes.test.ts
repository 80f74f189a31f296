/** Every look and tone has its own shape, which is legible without colour, also at small sizes. */
import { appearance, DESIRED, DEVICE_STATES, REASONS, STATUSES } from '@mqtt-status/protocol'
import type { Connection } from '@mqtt-status/protocol'
import { expect } from '@open-wc/testing'
import type { CSSResult } from 'lit'
import type { MqttStatusBadge } from '../../src/index.ts'
import { iconStyles } from '../../src/elements/base/tokens.styles.ts'
import '../../src/define.ts'
import { shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

const NOW = Date.now()
const LONG_AGO = new Date(NOW - 3_600_000).toISOString()
/** So late that no grace period ends while the tests run. */
const LATER = new Date(NOW + 3_600_000).toISOString()

/** Every row that looks different: status, desired, reason, device, command, age. */
const ROWS: readonly Connection[] = STATUSES.flatMap((status) =>
  [...DESIRED, null].flatMap((desired) =>
    [null, ...Object.keys(REASONS)].flatMap((reason) =>
      DEVICE_STATES.flatMap((device) =>
        [1, 2].flatMap((generation) =>
          [LATER, LONG_AGO].map((since) =>
            row({
              ...{ status, desired, reason, device, generation, since },
              desiredAt: LATER,
            }),
          ),
        ),
      ),
    ),
  ),
)

/** One row for each pair of look and tone. */
const SAMPLES: ReadonlyMap<string, Connection> = new Map(
  ROWS.map((row) => {
    const { look, tone } = appearance(row, NOW)
    return [`${look} ${tone}`, row]
  }),
)

/** How an element renders a row: the mark-up of its icon, the visible words, and all words. */
async function draw(tag: string, sample: Connection, stale: boolean): Promise<Drawn> {
  const server = new FakeServer({ rows: [sample] })
  const home = document.createElement('div')
  document.body.append(home)
  try {
    home.innerHTML = `<${tag} connection-id="plant-7" lang="en"></${tag.split(' ', 1)[0] ?? ''}>`
    const element = home.firstElementChild as MqttStatusBadge
    element.client = server.client
    await shown(element, 'link-live')
    if (stale) {
      server.send({ type: 'feed', state: 'stale', since: new Date(NOW).toISOString() })
      await shown(element, 'stale')
    }
    await element.updateComplete
    const svg = element.shadowRoot?.querySelector('.icon svg')
    return {
      svg: svg ? new XMLSerializer().serializeToString(svg).replaceAll(/<!--.*?-->/g, '') : '',
      seen: [...(element.shadowRoot?.querySelectorAll('.word, .as-of') ?? [])]
        .map(({ textContent }) => textContent)
        .join(' '),
      words: text(element),
    }
  } finally {
    home.remove()
    server.client.close()
  }
}

interface Drawn {
  readonly svg: string
  readonly seen: string
  readonly words: string
}

/** An icon as grey pixels on white, painted by the browser. */
async function pixels(svg: string, size: number): Promise<Uint8ClampedArray> {
  const style = `svg { color: #555; --_on: #fff; --_surface: #fff; animation: none !important } ${(iconStyles as CSSResult).cssText} * { animation: none !important }`
  const sized = svg
    .replace('<svg', `<svg width="${size}" height="${size}"`)
    .replace('>', `><style>${style}</style>`)
  const image = new Image(size, size)
  image.src = `data:image/svg+xml,${encodeURIComponent(sized)}`
  await image.decode()
  const canvas = new OffscreenCanvas(size, size).getContext('2d')
  if (!canvas) throw new Error('no canvas')
  canvas.fillStyle = '#fff'
  canvas.fillRect(0, 0, size, size)
  canvas.drawImage(image, 0, 0, size, size)
  return canvas.getImageData(0, 0, size, size).data.filter((_, i) => i % 4 === 0)
}

/** The share of their ink in which two icons differ. */
function difference(one: Uint8ClampedArray, other: Uint8ClampedArray): number {
  let differs = 0
  let ink = 0
  for (const [i, value] of one.entries()) {
    const second = other[i] ?? 255
    differs += Math.abs(value - second)
    ink += 255 - Math.min(value, second)
  }
  return differs / ink
}

const byLook = (sample: string): string => sample
const byTone = (sample: string): string => sample.split(' ')[1] ?? ''

/** Each icon with its smallest size, and what its shape means. */
const ICONS: Readonly<
  Record<string, { readonly size: number; readonly meaning: (sample: string) => string }>
> = {
  'mqtt-status-badge variant=label': { size: 14, meaning: byLook },
  'mqtt-status-badge variant=icon': { size: 14, meaning: byLook },
  'mqtt-status-badge variant=dot': { size: 10, meaning: byTone },
  'mqtt-status-badge variant=dot size=s': { size: 8, meaning: byTone },
  'mqtt-status-card': { size: 14, meaning: byLook },
  'mqtt-status-card density=dense': { size: 14, meaning: byLook },
}

/** A disc and a square on it differ by a ninth of their ink. */
const DIFFERENT = 0.12

for (const [tag, { size, meaning }] of Object.entries(ICONS)) {
  it(`an icon has a different shape for each meaning: ${tag}, ${ROWS.length} rows, live and stale`, async () => {
    const shapes = new Map<string, Uint8ClampedArray>()
    for (const [sample, connection] of SAMPLES) {
      for (const stale of [false, true]) {
        const { svg } = await draw(tag, connection, stale)
        shapes.set(`${meaning(sample)}${stale ? ', stale' : ''}`, await pixels(svg, size))
      }
    }
    const alike = [...shapes].flatMap(([name, grey], i, all) =>
      all.slice(i + 1).flatMap(([other, otherGrey]) => {
        const by = difference(grey, otherGrey)
        return by < DIFFERENT ? [`${name} | ${other}: ${by.toFixed(2)}`] : []
      }),
    )
    expect(alike).to.deep.equal([])
    expect(shapes.size).to.equal(2 * new Set([...SAMPLES.keys()].map(meaning)).size)
  }).timeout(60_000)
}

it('a badge with text only has different words or another mark for each meaning', async () => {
  const meanings = new Map<string, string>()
  for (const [sample, connection] of SAMPLES) {
    for (const stale of [false, true]) {
      const { svg, seen } = await draw('mqtt-status-badge variant=text', connection, stale)
      meanings.set(`${seen} ${svg}`, sample)
    }
  }
  expect(meanings.size).to.equal(2 * SAMPLES.size)
}).timeout(60_000)

for (const variant of ['label', 'icon', 'dot', 'text']) {
  it(`a badge has the problem in words for screen readers: ${variant}`, async () => {
    for (const [change, words] of [
      [{ device: 'offline' }, 'Connected. Device offline'],
      [{ reason: 'subscription_denied' }, 'Connected. The broker denied a subscription'],
      [{ status: 'unknown', reason: 'supervisor_lost' }, 'Unknown. Nobody is watching'],
      [{ status: 'failed', reason: 'quota' }, 'Error. '],
    ] as const) {
      const { words: said } = await draw(`mqtt-status-badge variant=${variant}`, row(change), false)
      expect(said).to.contain(words)
    }
    const { words } = await draw(`mqtt-status-badge variant=${variant}`, row(), false)
    expect(words).to.equal('Impianto 7 Connected')
  })
}
