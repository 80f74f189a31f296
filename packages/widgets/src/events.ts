import type { Action, Connection } from '@mqtt-status/protocol'
import type { LinkState, Outcome } from './client/index.ts'

/** The base class of the elements' events: they bubble and cross shadow roots. */
class StatusEvent<T> extends CustomEvent<T> {
  constructor(type: string, detail: T, cancelable = false) {
    super(type, { detail, bubbles: true, composed: true, cancelable })
  }
}

/** The element shows its connection for the first time. */
export class MqttStatusReadyEvent extends StatusEvent<{ readonly connection: Connection }> {
  constructor(connection: Connection) {
    super('mqtt-status-ready', { connection })
  }
}

export interface ChangeDetail {
  readonly id: string
  readonly previous: Connection
  readonly connection: Connection
  /** Whether the client got the change while catching up after an interruption, so that it may have happened earlier. */
  readonly replay: boolean
}

/**
 * The connection's status, desired, reason, device, name, site or labels have changed. A message of the device, and members
 * of the row that only a command writes, are no change.
 */
export class MqttStatusChangeEvent extends StatusEvent<ChangeDetail> {
  constructor(detail: ChangeDetail) {
    super('mqtt-status-change', detail)
  }
}

export interface LinkDetail {
  readonly state: LinkState
  /** When the client tries again, in ms since 1970; `null` = it has no attempt planned. */
  readonly retryAt: number | null
}

/** The health of the feed has changed. */
export class MqttStatusLinkEvent extends StatusEvent<LinkDetail> {
  constructor(detail: LinkDetail) {
    super('mqtt-status-link', detail)
  }
}

export interface CommandDetail {
  readonly id: string
  readonly action: Action
  /** The `Idempotency-Key` header of the request. */
  readonly requestId: string
}

/** A command is about to be sent; after `preventDefault()` the element does not send it. */
export class MqttStatusCommandEvent extends StatusEvent<CommandDetail> {
  constructor(detail: CommandDetail) {
    super('mqtt-status-command', detail, true)
  }
}

export interface CommandEndDetail extends CommandDetail {
  readonly outcome: Outcome['outcome']
  /** Why the command failed: a code of the server, or `unreachable`. */
  readonly code: string | null
}

/** A command that was sent has ended. */
export class MqttStatusCommandEndEvent extends StatusEvent<CommandEndDetail> {
  constructor(detail: CommandEndDetail) {
    super('mqtt-status-command-end', detail)
  }
}

export interface ErrorDetail {
  readonly code: string
  readonly message: string
}

/** The element can't show its connection. */
export class MqttStatusErrorEvent extends StatusEvent<ErrorDetail> {
  constructor(detail: ErrorDetail) {
    super('mqtt-status-error', detail)
  }
}

export interface MqttStatusEventMap {
  'mqtt-status-ready': MqttStatusReadyEvent
  'mqtt-status-change': MqttStatusChangeEvent
  'mqtt-status-link': MqttStatusLinkEvent
  'mqtt-status-command': MqttStatusCommandEvent
  'mqtt-status-command-end': MqttStatusCommandEndEvent
  'mqtt-status-error': MqttStatusErrorEvent
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merging is the only way to type listeners
  interface GlobalEventHandlersEventMap extends MqttStatusEventMap {}
}
