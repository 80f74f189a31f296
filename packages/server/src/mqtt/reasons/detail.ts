/** The `detail` of a failure: text that a broker, a network or a library wrote, made safe for viewers. */
import type { Failure } from './failure.ts'

const MAX_LENGTH = 300

/** @returns the text in one line, without control characters and credentials in URLs, cut to 300 characters; `null` if it is empty */
export function clean(text: string | undefined): string | null {
  const line = (text ?? '')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/\/\/[^\s/@]*@/g, '//')
    .replace(/ {2,}/g, ' ')
    .trim()
  return line === '' ? null : line.slice(0, MAX_LENGTH)
}

/** Replaces the password in a detail: a broker can repeat it in its text, and viewers see that text. */
export function withoutSecret(failure: Failure, secret: string | null): Failure {
  const { detail } = failure
  if (detail === null || secret === null || secret === '') return failure
  return detail.includes(secret) ? { ...failure, detail: detail.replaceAll(secret, '…') } : failure
}
