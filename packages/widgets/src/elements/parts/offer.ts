import type { Action, Capability, Connection, Status } from '@mqtt-status/protocol'
import type { Word } from '../../attributes/words.ts'
import type { LinkState } from '../../client/index.ts'

/** What keeps a button that is shown from working. */
export type Blocked =
  'link' | 'offline' | 'viewOnly' | 'notControllable' | 'alreadyOn' | 'alreadyOff'

/** The buttons to show, the main one first; with `blocked` they are shown but do nothing. */
export interface Offer {
  readonly actions: readonly [Action, ...Action[]]
  readonly blocked: Blocked | null
  /** Disconnecting ends attempts and no connection: the supervisor is trying to reach the broker. */
  readonly endsAttempts: boolean
}

export interface Circumstances {
  readonly row: Connection
  readonly link: LinkState | null
  readonly can: readonly Capability[]
  readonly controls: Word<'controls'>
  /** The one action that is wanted, instead of what fits the row. */
  readonly action: Word<'action'>
  /** The server has just said that this viewer may not. */
  readonly refused: boolean
}

/**
 * Which commands make sense, and whether they may be given now. `auto` shows no button that can never work for this
 * viewer; a lost link is no such reason, so the button stays and says why it waits.
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
 * The supervisor dials, or waits for its next attempt. A first attempt (`connecting`) is over within a moment, so its
 * button keeps one word. No server tries an `unknown` connection, nor one with a status that this version does not know.
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
  // Neither the wish nor the truth is known: both ways are open.
  if (row.desired === null && row.status === 'unknown') return ['connect', 'disconnect']
  // Without a wish, what is seen decides.
  if ((row.desired ?? row.status) === 'disconnected') return ['connect']
  if (row.status === 'failed') return ['reconnect', 'disconnect']
  return ['disconnect']
}

/** An action whose work is done already; `auto` never offers one. */
function needless({ desired, status }: Connection, action: Action): Blocked | null {
  if (action === 'connect')
    return desired === 'connected' && status === 'connected' ? 'alreadyOn' : null
  return desired === 'disconnected' && status === 'disconnected' ? 'alreadyOff' : null
}
