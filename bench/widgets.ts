/** P11: what a page full of cards costs, in a browser, with the bundle that portals load. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { connection } from '@mqtt-status/testing/connection'
import { launchBrowser } from '../scripts/browser.ts'
import { percentile, printTable, say } from './table.ts'

const { values } = parseArgs({
  options: {
    cards: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '7' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`Usage: node bench/widgets.ts [options]   (after pnpm build)
  --cards <n>  cards on the page (default 1000)
  --runs <n>   pages that are measured, the median counts (default 7)`)
  process.exit(0)
}

interface Measure {
  /** Until all that is seen is drawn and laid out. */
  readonly ms: number
  /** Until everything is. */
  readonly all: number
  /** The longest task that blocked the page meanwhile, in ms. */
  readonly blocked: number
  readonly renders: number
}

const MEASURES = ['created', 'one', 'warm', 'all', 'separate'] as const
type Run = Readonly<Record<(typeof MEASURES)[number], Measure>>

const FILES: Readonly<Record<string, readonly [URL, string]>> = {
  '/mqtt-status.js': [
    new URL('../packages/widgets/cdn/mqtt-status.js', import.meta.url),
    'text/javascript',
  ],
  '/page.js': [new URL('widgets/page.js', import.meta.url), 'text/javascript'],
}
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><style>
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 16px }
</style><main></main><script type="module" src="/page.js"></script>`

const server = createServer((request, response) => {
  const found = FILES[request.url ?? '']
  if (!found) {
    response.setHeader('content-type', 'text/html').end(PAGE)
    return
  }
  void readFile(found[0]).then((body) => {
    response.setHeader('content-type', found[1]).end(body)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

const browser = await launchBrowser()
const count = Number(values.cards)

/** A page of its own for each: nothing is warm from what was measured before. */
async function inPage<T>(expression: string): Promise<T> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.goto(url)
  await page.waitForFunction('window.measureFloor')
  const result = await page.evaluate<T>(expression)
  await page.close()
  return result
}

const row = JSON.stringify(connection())
const trees = JSON.stringify(await inPage(`takeTrees(${row})`))
const cards: Run[] = []
const floor: Run[] = []
const sides = [
  [cards, `measureCards(${count}, ${row})`],
  [floor, `measureFloor(${trees}, ${count})`],
] as const
for (let i = 0; i < Number(values.runs); i++) {
  // The first round runs on a colder machine than the second, so the subjects alternate.
  for (const [runs, expression] of i % 2 ? sides.toReversed() : sides)
    runs.push(await inPage<Run>(expression))
  say(`run ${i + 1} of ${values.runs}`)
}
const version = browser.version()
await browser.close()
server.close()

const GOALS: Readonly<Record<keyof Run, string>> = {
  created: '≤ 110 ms',
  one: '≤ 4 ms, 1 render',
  warm: '≤ 4 ms, 1 render',
  all: '≤ 30 ms',
  separate: '–',
}
const TITLES: Readonly<Record<keyof Run, string>> = {
  created: 'created and laid out',
  one: 'one change, the first of the page',
  warm: 'one change, later',
  all: 'all change',
  separate: '100 separate changes',
}
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'} · Chromium ${version} · ${count} cards · median of ${values.runs}, in ms\n` +
    'seen: all that is in view is drawn and laid out; all: the last card is; blocked: the longest task of the page\n' +
    'floor: the same trees under the same style sheets, cloned and changed by hand, all at once\n',
)
printTable(
  ['measure', 'seen', 'best', 'all', 'blocked', 'floor', 'best floor', 'renders', 'goal (seen)'],
  MEASURES.map((name) => [
    TITLES[name],
    ...[cards.map((run) => run[name].ms)].flatMap((times) => [median(times), times[0] ?? null]),
    median(cards.map((run) => run[name].all)),
    median(cards.map((run) => run[name].blocked)),
    ...[floor.map((run) => run[name].ms)].flatMap((times) => [median(times), times[0] ?? null]),
    cards[0]?.[name].renders ?? null,
    GOALS[name],
  ]),
)

function median(times: number[]): number | null {
  return percentile(times, 0.5)
}
