import { stdout } from 'node:process'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { prettyFactory } from 'pino-pretty'

/** The log of a room. Never pass options, packets or URLs, which may contain secrets: name the fields. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** `json` for machines, one line an entry; `pretty` for a person at a terminal. */
export type LogFormat = 'json' | 'pretty'

/** The stream that the log writes its lines to. */
export interface LogOutput {
  write(line: string): unknown
}

/**
 * Creates a log that writes to a stream of Node. The default output of pino (`sonic-boom`) retries without end when its terminal has been
 * closed, and then the process never exits.
 *
 * @param output commands that write data to the standard output log to the standard error
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
