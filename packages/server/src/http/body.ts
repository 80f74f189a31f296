import type { IncomingMessage } from 'node:http'
import { StatusError } from '../errors.ts'

/** Long enough for a thousand ids. */
export const BODY_BYTES: number = 64 * 1024

export function tooLarge(): StatusError {
  return new StatusError('payload_too_large', `A body may have ${BODY_BYTES} bytes at most.`)
}

/**
 * Not by `for await`: its machinery stays on the request, and a request lasts as long as its stream of events.
 *
 * @throws StatusError `payload_too_large`, `bad_request` if it ends in the middle
 */
export function readBody(request: IncomingMessage): Promise<string> {
  const listening = new AbortController()
  const pieces: Buffer[] = []
  let bytes = 0
  return new Promise<string>((resolve, reject) => {
    const on = (event: string, listener: (piece: Buffer) => void): void => {
      request.on(event, listener)
      listening.signal.addEventListener('abort', () => request.off(event, listener))
    }
    on('data', (piece) => {
      bytes += piece.length
      if (bytes > BODY_BYTES) reject(tooLarge())
      else pieces.push(piece)
    })
    on('end', () => {
      resolve(Buffer.concat(pieces).toString('utf8'))
    })
    on('close', () => {
      reject(new StatusError('bad_request', 'The body ends in the middle.'))
    })
  }).finally(() => {
    listening.abort()
  })
}
