import type { Connection } from '@mqtt-status/protocol'
import type { Link } from '../../client/index.ts'
import { toJson } from '../../client/json.ts'
import { MqttStatusChangeEvent, MqttStatusErrorEvent } from './events.ts'
import { MqttStatusLinkEvent, MqttStatusReadyEvent } from './events.ts'
import type { Scene } from '../scene/scene.ts'

/** What the page has been told so far. */
export interface Reported {
  readonly scene: Scene | null
  readonly link: Link | null
  /** Why there is nothing to show, as a code. */
  readonly trouble: string | null
}

/** Tells the page, by events, what is different from what it was told before. */
export function reportChanges(target: EventTarget, before: Reported, now: Reported): void {
  if (now.link && now.link.state !== before.link?.state) {
    const { state, retryAt } = now.link
    target.dispatchEvent(new MqttStatusLinkEvent({ state, retryAt }))
  }
  reportRow(target, before, now)
  if (now.trouble !== null && now.trouble !== before.trouble) {
    const message = now.scene?.message?.text ?? ''
    target.dispatchEvent(new MqttStatusErrorEvent({ code: now.trouble, message }))
  }
}

function reportRow(target: EventTarget, before: Reported, now: Reported): void {
  const connection = now.scene?.row
  const previous = before.scene?.row
  if (!connection || connection === previous) return
  if (previous?.id !== connection.id) {
    target.dispatchEvent(new MqttStatusReadyEvent(connection))
    return
  }
  if (meaning(previous) === meaning(connection)) return
  // Learnt while catching up, as far as this element can tell: the feed was not live a moment ago.
  const replay = before.link?.state !== 'live'
  target.dispatchEvent(
    new MqttStatusChangeEvent({ id: connection.id, previous, connection, replay }),
  )
}

/** What a page acts on. A mere message of the device is none of it: those may come by the second. */
function meaning({ status, desired, reason, device, name, siteId, labels }: Connection): string {
  return toJson([status, desired, reason, device, name, siteId, labels])
}
