import { SetupError } from '../errors.ts'

const OLDEST = 22

/**
 * On an older Node the server starts and answers, but lacks functions that supervision needs, and dials nothing.
 *
 * @throws SetupError if the version of Node is too old
 */
export function requireRuntime(version: string): void {
  if (Number.parseInt(version, 10) >= OLDEST) return
  throw new SetupError(`Node ${version} is too old for mqtt-status; use Node ${OLDEST} or newer.`)
}
