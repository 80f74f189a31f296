import type { Environment } from '../config/environment.ts'

/** What a command may know of the process it runs in. */
export interface Edge {
  readonly environment: Environment
  readonly version: string
  /** Whether a person reads what is printed. */
  readonly terminal: boolean
  /** One line of the answer, on the standard output. */
  print(line: string): void
  /** One line about work that goes on, on the standard error, so that it never gets into the answer. */
  progress(line: string): void
  /** Aborted by the first signal to end; from the first call on signals no longer end the process at once. */
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
