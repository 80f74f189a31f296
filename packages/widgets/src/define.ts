/** Registers every element: the one import with a side effect. Safe where there is no document. */
import { ContextRoot } from '@lit/context'
import { MqttStatusCard, MqttStatusProvider } from './index.ts'

// Elements may ask before their provider is defined: the root asks again for them, once for all copies on a page.
const ROOT = Symbol.for('mqtt-status.context-root')
const place = globalThis as { [ROOT]?: boolean }
if (typeof document !== 'undefined' && !place[ROOT]) {
  place[ROOT] = true
  new ContextRoot().attach(document.documentElement)
}

MqttStatusProvider.define('mqtt-status-provider')
MqttStatusCard.define('mqtt-status-card')

declare global {
  interface HTMLElementTagNameMap {
    'mqtt-status-provider': MqttStatusProvider
    'mqtt-status-card': MqttStatusCard
  }
}
