import { explain } from '../db/postgres/explain.ts'
import { SetupError } from '../errors.ts'

/** The result of a check of `doctor`. */
export interface Finding {
  readonly check: string
  /** `warning`: the server works, but the operator should change something. */
  readonly state: 'ok' | 'warning' | 'broken'
  readonly found: string
  /** What to do. */
  readonly cure?: string
}

export type Answer = Omit<Finding, 'check'>

/** Turns an error into an answer, with the cure where one is known. */
export function toAnswer(error: unknown): Answer {
  const known = explain(error)
  const message = known instanceof Error ? known.message : String(known)
  const [found = '', ...rest] = message.split('\n')
  const cure = rest.map((line) => line.trim()).join('\n')
  return { state: 'broken', found, ...(known instanceof SetupError ? { cure } : {}) }
}
