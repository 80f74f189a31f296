import { readConfig } from '../config/config.ts'
import { createLog } from '../log.ts'
import { createServer } from '../server.ts'
import type { Edge } from './edge.ts'
import { runServer, widgetBundle } from './running.ts'

/** Runs the server with the settings of the environment and of the flags. */
export async function serve(edge: Edge, flags: Record<string, string>): Promise<void> {
  const { config, warnings } = readConfig(edge.environment, flags, edge.terminal)
  const log = createLog(config.log)
  for (const warning of warnings) log.warn(warning)
  const signal = edge.signal()
  signal.addEventListener('abort', () => {
    log.info({ cause: String(signal.reason) }, 'stopping')
  })
  const server = createServer(config, log, { widgetBundle: widgetBundle(), version: edge.version })
  await runServer(server, {
    signal,
    drainMs: config.drainMs,
    onListening(url) {
      log.info({ url, version: edge.version }, 'listening')
    },
  })
  log.info('stopped')
}
