import { SetupError } from '../errors.ts'

/** The oldest version that `engines` of the package allows. */
const OLDEST = { major: 22, minor: 12 } as const

/**
 * On an older Node the server starts and answers, but lacks functions that supervision needs, and dials nothing.
 *
 * @throws SetupError if the version of Node is too old
 */
export function requireRuntime(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return
  throw new SetupError(
    `Node ${version} is too old for mqtt-status; use Node ${OLDEST.major}.${OLDEST.minor} or newer.`,
  )
}
