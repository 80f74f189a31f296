import type { Connection } from '@mqtt-status/protocol'
import type { Link } from '../../client/index.ts'
import { MqttStatusChangeEvent, MqttStatusErrorEvent } from '../events.ts'
import { MqttStatusLinkEvent, MqttStatusReadyEvent } from '../events.ts'
import { isTerminal } from './message.ts'

/** What the page has been told so far. */
export interface Reported {
  readonly row: Connection | null
  readonly link: Link | null
  /** Why there is nothing to show, in words. */
  readonly trouble: string | null
}

/** Tells the page, by events, what is different from what it was told before. */
export function reportChanges(target: EventTarget, before: Reported, now: Reported): void {
  if (now.link && now.link.state !== before.link?.state) {
    const { state, retryAt } = now.link
    target.dispatchEvent(new MqttStatusLinkEvent({ state, retryAt }))
  }
  if (now.row && now.row !== before.row) reportRow(target, before, now.row)
  if (now.trouble !== null && now.trouble !== before.trouble) {
    const state = now.link?.state
    const code = state && isTerminal(state) ? state : now.link ? 'missing' : 'unconfigured'
    target.dispatchEvent(new MqttStatusErrorEvent({ code, message: now.trouble }))
  }
}

function reportRow(target: EventTarget, before: Reported, connection: Connection): void {
  const previous = before.row
  if (previous?.id !== connection.id) {
    target.dispatchEvent(new MqttStatusReadyEvent(connection))
    return
  }
  // Learnt while catching up, as far as this element can tell: the feed was not live a moment ago.
  const replay = before.link?.state !== 'live'
  target.dispatchEvent(
    new MqttStatusChangeEvent({ id: connection.id, previous, connection, replay }),
  )
}
