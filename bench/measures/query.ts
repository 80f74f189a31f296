import { Agent, request } from 'node:http'
import { percentile } from '../table.ts'
import type { Cell } from '../table.ts'

const TOGETHER = 16
const REQUESTS = 1_000
const IDS = Array.from({ length: 1_000 }, (_, i) => `c${i}`)

/** Polling: what a page asks that can have neither socket nor stream. */
export async function measureQuery(port: number): Promise<Cell[][]> {
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER })
  const ask = (body: unknown): Promise<string> =>
    new Promise((resolve, reject) => {
      const path = '/api/v1/connections/query'
      const call = request({ agent, port, host: '127.0.0.1', path, method: 'POST' })
      call.on('error', reject)
      call.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => {
          resolve(text)
        })
      })
      call.end(JSON.stringify(body))
    })
  const { cursor } = JSON.parse(await ask({ connections: IDS })) as { cursor: string }
  const cases: [string, unknown][] = [
    ['3 rows', { connections: IDS.slice(0, 3) }],
    ['1,000 rows', { connections: IDS }],
    ['what changed of 1,000 rows: nothing', { connections: IDS, cursor }],
  ]
  const table: Cell[][] = []
  for (const [name, body] of cases) table.push([name, ...(await timed(() => ask(body)))])
  agent.destroy()
  return table
}

/** @returns requests per second, p50 and p99 in ms */
async function timed(ask: () => Promise<unknown>): Promise<Cell[]> {
  const tookMs: number[] = []
  let left = REQUESTS
  const beganAt = performance.now()
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const askedAt = performance.now()
      await ask()
      tookMs.push(performance.now() - askedAt)
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))
  const perSecond = (REQUESTS * 1_000) / (performance.now() - beganAt)
  return [perSecond, percentile(tookMs, 0.5), percentile(tookMs, 0.99)]
}
