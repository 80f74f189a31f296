/** P11: what a page full of cards costs, in a browser, with the bundle that portals load. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
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
  readonly ms: number
  readonly renders: number
}

const MEASURES = ['floor', 'created', 'one', 'all', 'separate'] as const
type Run = Readonly<Record<(typeof MEASURES)[number], Measure>>

const FILES: Readonly<Record<string, readonly [URL, string]>> = {
  '/mqtt-status.js': [
    new URL('../packages/widgets/cdn/mqtt-status.js', import.meta.url),
    'text/javascript',
  ],
  '/page.js': [new URL('widgets/page.js', import.meta.url), 'text/javascript'],
}
const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><main></main><script type="module" src="/page.js"></script>'

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
const runs: Run[] = []
for (let i = 0; i < Number(values.runs); i++) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.goto(url)
  await page.waitForFunction('window.measure')
  runs.push(await page.evaluate<Run>(`measure(${Number(values.cards)})`))
  await page.close()
  say(`run ${i + 1} of ${values.runs}`)
}
const version = browser.version()
await browser.close()
server.close()

const GOALS: Readonly<Record<keyof Run, string>> = {
  floor: '–',
  created: '≤ 110 ms',
  one: '≤ 4 ms, 1 render',
  all: '≤ 30 ms',
  separate: '–',
}
const TITLES: Readonly<Record<keyof Run, string>> = {
  floor: 'the same trees, cloned without elements',
  created: 'created and laid out',
  one: 'one change',
  all: 'all change',
  separate: '100 separate changes',
}
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'} · Chromium ${version} · ${values.cards} cards · median of ${values.runs}\n`,
)
printTable(
  ['measure', 'median ms', 'best ms', 'renders', 'goal'],
  MEASURES.map((name) => {
    const times = runs.map((run) => run[name].ms)
    return [
      TITLES[name],
      percentile(times, 0.5),
      times[0] ?? null,
      runs[0]?.[name].renders ?? null,
      GOALS[name],
    ]
  }),
)
