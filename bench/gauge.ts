/**
 * Loaded into each process under test: measures what can only be seen from within, and answers over IPC. It changes
 * nothing of the program that is measured.
 */
import diagnostics from 'node:diagnostics_channel'
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Reading {
  /** The longest time that a timer was late, in ms. */
  readonly stallMs: number
  /** Sockets that were dialled, in total and in the busiest second. */
  readonly dials: number
  readonly dialsPerSecond: number
  readonly rssKiB: number
  readonly heapKiB: number
  /** Listeners and handles that are held. */
  readonly handles: number
}

export type GaugeRequest = 'reset' | 'read' | 'collect'

const RESOLUTION_MS = 2
const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
const seconds = new Map<number, number>()

diagnostics.subscribe('net.client.socket', () => {
  const second = Math.floor(performance.now() / 1_000)
  seconds.set(second, (seconds.get(second) ?? 0) + 1)
})

function reset(): void {
  loop.reset()
  seconds.clear()
}

function read(): Reading {
  const { rss, heapUsed } = process.memoryUsage()
  const counts = [...seconds.values()]
  return {
    stallMs: Math.max(0, loop.max / 1e6 - RESOLUTION_MS),
    dials: counts.reduce((sum, count) => sum + count, 0),
    dialsPerSecond: Math.max(0, ...counts),
    rssKiB: rss / 1024,
    heapKiB: heapUsed / 1024,
    handles: process.getActiveResourcesInfo().length,
  }
}

loop.enable()
process.on('message', (request: { gauge?: GaugeRequest }) => {
  if (request.gauge === undefined) return
  if (request.gauge === 'reset') reset()
  if (request.gauge === 'collect') globalThis.gc?.()
  process.send?.({ reading: read() })
})
