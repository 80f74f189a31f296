import type { Action, Capability, Connection, Status } from '@mqtt-status/protocol'
import type { Word } from '../../attributes/words.ts'
import type { LinkState } from '../../client/index.ts'

/** Why a visible button is disabled. */
export type Blocked =
  'link' | 'offline' | 'viewOnly' | 'notControllable' | 'alreadyOn' | 'alreadyOff'

/** The buttons to show, the main one first; with `blocked` they are disabled. */
export interface Offer {
  readonly actions: readonly [Action, ...Action[]]
  readonly blocked: Blocked | null
  /** The supervisor dials the broker, so disconnecting ends attempts instead of a connection. */
  readonly endsAttempts: boolean
}

export interface Circumstances {
  readonly row: Connection
  readonly link: LinkState | null
  readonly can: readonly Capability[]
  readonly controls: Word<'controls'>
  /** One action that the page has chosen, or `auto` for the actions that fit the row. */
  readonly action: Word<'action'>
  /** The server has just refused a command of this viewer with `forbidden`. */
  readonly refused: boolean
}

/**
 * Which commands apply to the row, and whether the viewer may send them now. `auto` offers no button that can never
 * work for this viewer. A lost link does not remove the button: it stays, disabled, with the reason.
 */
export function offer(circumstances: Circumstances): Offer | null {
  const { row, link, can, controls, action, refused } = circumstances
  if (controls === 'none') return null
  const never = refused ? 'viewOnly' : neverWorks(row, can)
  if (controls === 'auto' && (never !== null || !row.managed)) return null
  const actions: Offer['actions'] = action === 'auto' ? actionsFor(row) : [action]
  const blocked = never ?? unreachable(link) ?? needless(row, actions[0])
  return { actions, blocked, endsAttempts: isTrying(row) }
}

/**
 * The statuses in which the supervisor dials, or waits for its next attempt. A first attempt (`connecting`) is short, so its
 * button keeps one label. The supervisor dials neither `unknown` connections nor, as far as this version knows, others.
 */
const TRYING: readonly Status[] = ['disconnected', 'reconnecting', 'failed']

function isTrying({ desired, status, managed }: Connection): boolean {
  return managed && desired === 'connected' && TRYING.includes(status)
}

function unreachable(link: LinkState | null): Blocked | null {
  if (link === 'live') return null
  return link === 'offline' ? 'offline' : 'link'
}

function neverWorks(row: Connection, can: readonly Capability[]): Blocked | null {
  if (!can.includes('control')) return 'viewOnly'
  return row.desired === null && !row.managed ? 'notControllable' : null
}

function actionsFor(row: Connection): Offer['actions'] {
  // Neither `desired` nor the status is known: both actions are possible.
  if (row.desired === null && row.status === 'unknown') return ['connect', 'disconnect']
  // Without `desired` the status decides.
  if ((row.desired ?? row.status) === 'disconnected') return ['connect']
  if (row.status === 'failed') return ['reconnect', 'disconnect']
  return ['disconnect']
}

/** Whether the action would change nothing; `auto` never offers such an action. */
function needless({ desired, status }: Connection, action: Action): Blocked | null {
  if (action === 'connect')
    return desired === 'connected' && status === 'connected' ? 'alreadyOn' : null
  return desired === 'disconnected' && status === 'disconnected' ? 'alreadyOff' : null
}
