import type { Problem } from '@mqtt-status/protocol'
import type { Log } from '../log.ts'
export declare const PROBLEM_TYPE = 'application/problem+json'
/** What a caller is told of an error; whatever is not meant for callers gets a reference into the log instead. */
export declare function toProblem(error: unknown, log: Log): Problem
