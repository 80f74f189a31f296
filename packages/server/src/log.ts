import { pino } from 'pino'
import type { Logger } from 'pino'
import { default as pretty } from 'pino-pretty'

/** What a room may write to the log. Never pass options, packets or URLs: name the few harmless fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** `json` for machines, one line an entry; `pretty` for a person at a terminal. */
export type LogFormat = 'json' | 'pretty'

export function createLog({ level, format }: { level: LogLevel; format: LogFormat }): Log {
  if (format === 'json')
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
  const stream = pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', sync: true })
  return pino({ level, base: null }, stream)
}
