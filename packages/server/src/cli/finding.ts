import { explain } from '../db/postgres/explain.ts'
import { SetupError } from '../errors.ts'

/** What a check of `doctor` has found. */
export interface Finding {
  readonly check: string
  /** `warning`: it works, but somebody should know. */
  readonly state: 'ok' | 'warning' | 'broken'
  readonly found: string
  /** What to do. */
  readonly cure?: string
}

export type Answer = Omit<Finding, 'check'>

/** A failure as an answer, with its cure where there is one. */
export function toAnswer(error: unknown): Answer {
  const known = explain(error)
  const message = known instanceof Error ? known.message : String(known)
  const [found = '', ...rest] = message.split('\n')
  const cure = rest.map((line) => line.trim()).join('\n')
  return { state: 'broken', found, ...(known instanceof SetupError ? { cure } : {}) }
}
