import type { Logger } from 'pino'
/** What a room may write to the log. Never pass options, packets or URLs: name the few harmless fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
/** `json` for machines, one line an entry; `pretty` for a person at a terminal. */
export type LogFormat = 'json' | 'pretty'
export declare function createLog({ level, format }: { level: LogLevel; format: LogFormat }): Log
