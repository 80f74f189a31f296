/** What a session reports when a broker refuses topic filters, or closes the connection on them. */
import { clean } from '../reasons/detail.ts'
import type { Failure } from '../reasons/failure.ts'

/** A topic filter that the broker has refused, with its reason code. */
export interface Denied {
  readonly filter: string | undefined
  readonly code: number
}

/**
 * The failure of an open session whose broker refuses topic filters; `null` if it refuses none.
 *
 * @param leftOut filters that the session has not subscribed to, because the broker closes the connection on them
 */
export function deniedAs(denied: readonly Denied[], leftOut: readonly string[]): Failure | null {
  const refused = denied.map(({ filter = '' }) => filter)
  const sentences = [
    ...(refused.length === 0 ? [] : [`The broker refused ${topics(refused)}.`]),
    ...(leftOut.length === 0
      ? []
      : [`The broker closes the connection on ${topics(leftOut)}; the server leaves it out.`]),
  ]
  if (sentences.length === 0) return null
  const detail = clean(sentences.join(' '))
  return { reason: 'subscription_denied', detail, code: denied[0]?.code ?? null }
}

function topics(filters: readonly string[]): string {
  return `the topic${filters.length > 1 ? 's' : ''} ${filters.join(', ')}`
}

/** A broker may close the connection on a forbidden topic filter without a reason code, so the detail names the filters. */
export function whileSubscribing(failure: Failure, filters: readonly string[]): Failure {
  const topics = filters.join(', ')
  const said = failure.detail === null ? '' : ` ${failure.detail}`
  const what =
    failure.reason === 'connect_timeout'
      ? `The broker did not answer the subscription to ${topics}.`
      : `The broker closed the connection while the server subscribed to ${topics}.${said}`
  return { ...failure, detail: clean(what) }
}

/** The broker has not answered in time. */
export function unanswered(reason: Failure['reason'], detail: string): Failure {
  return { reason, detail, code: null }
}
