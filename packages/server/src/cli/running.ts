import { setTimeout as delay } from 'node:timers/promises'
import type { StatusServer } from '../server.ts'
import { given } from './edge.ts'

/** The file with all elements, in the package of the widgets. */
export function widgetBundle(): URL {
  return new URL(import.meta.resolve('@mqtt-status/widgets/cdn/mqtt-status.js'))
}

export interface RunOptions {
  readonly signal: AbortSignal
  /** Longest time that the shutdown may take, in ms. */
  readonly drainMs: number
  /** Called once when the server listens. */
  readonly onListening: (url: string) => void
}

/** Runs a server until the signal; resolves when it has stopped, or `drainMs` after the signal. */
export async function runServer(
  server: StatusServer,
  { signal, drainMs, onListening }: RunOptions,
): Promise<void> {
  const end = given(signal)
  await Promise.race([
    server.start().then(({ url }) => {
      if (!signal.aborted) onListening(url)
      return end
    }),
    end,
  ])
  await Promise.race([server.stop(), delay(drainMs, undefined, { ref: false })])
}
