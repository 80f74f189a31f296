import { stdout } from 'node:process'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { prettyFactory } from 'pino-pretty'

/** What a room may write to the log. Never pass options, packets or URLs: name the few harmless fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** `json` for machines, one line an entry; `pretty` for a person at a terminal. */
export type LogFormat = 'json' | 'pretty'

/** Where lines go. */
export interface LogOutput {
  write(line: string): unknown
}

/**
 * The default output of pino (`sonic-boom`) is not used: when its terminal has been closed, it tries again for ever at the end of the process,
 * and the process never ends.
 *
 * @param output a command whose answer is data logs to the standard error instead
 */
export function createLog(
  { level, format }: { level: LogLevel; format: LogFormat },
  output: LogOutput = stdout,
): Log {
  if (format === 'json')
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output)
  const pretty = prettyFactory({
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    colorize: output === stdout && stdout.isTTY,
  })
  return pino({ level, base: null }, { write: (line: string) => output.write(pretty(line)) })
}
