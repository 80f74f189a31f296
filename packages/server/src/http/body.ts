import type { IncomingMessage } from 'node:http'
import { StatusError } from '../errors.ts'

/** Long enough for a thousand ids. */
export const BODY_BYTES: number = 64 * 1024

export function tooLarge(): StatusError {
  return new StatusError('payload_too_large', `A body may have ${BODY_BYTES} bytes at most.`)
}

/** @throws StatusError `payload_too_large` */
export async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request) {
    bytes += (piece as Buffer).length
    if (bytes > BODY_BYTES) throw tooLarge()
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces).toString('utf8')
}
