import { SetupError } from '../errors.ts'

const OLDEST = 22

/**
 * An older Node starts, listens and answers, but lacks what supervision needs: nothing would ever be dialled.
 *
 * @throws SetupError if the version is too old
 */
export function requireRuntime(version: string): void {
  if (Number.parseInt(version, 10) >= OLDEST) return
  throw new SetupError(`Node ${version} is too old for mqtt-status; use Node ${OLDEST} or newer.`)
}
