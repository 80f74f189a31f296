import type { Environment } from '../config/environment.ts'

/** The process, as commands use it. */
export interface Edge {
  readonly environment: Environment
  readonly version: string
  /** Whether a person reads what is printed. */
  readonly terminal: boolean
  /** Writes a line of the answer to the standard output. */
  print(line: string): void
  /** Writes a line of progress to the standard error, so that it is not part of the answer. */
  progress(line: string): void
  /** Aborted by the first signal; after the first call the first signal no longer ends the process at once. */
  signal(): AbortSignal
}

/** Resolves when the signal is given. */
export function given(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else {
      signal.addEventListener('abort', () => {
        resolve()
      })
    }
  })
}
