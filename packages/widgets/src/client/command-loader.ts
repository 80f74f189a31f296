import type { CommandAccepted } from '@mqtt-status/protocol'
import type { CommandRequest, Refusal } from './commands.ts'

/** Most pages only show: what commands need is loaded with the first one. */
export function post(request: CommandRequest): Promise<CommandAccepted | Refusal> {
  return import('./commands.ts').then(
    ({ sendCommand }) => sendCommand(request),
    () => ({ code: 'unreachable' }),
  )
}
