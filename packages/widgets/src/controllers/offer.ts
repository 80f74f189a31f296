import type { Action, Capability, Connection } from '@mqtt-status/protocol'

/** What keeps a button that is shown from working. */
export type Blocked = 'link' | 'viewOnly' | 'notControllable'

/** The buttons to show, the main one first; with `blocked` they are shown but do nothing. */
export interface Offer {
  readonly actions: readonly [Action, ...Action[]]
  readonly blocked: Blocked | null
}

export interface Circumstances {
  readonly row: Connection
  readonly linkIsLive: boolean
  readonly can: readonly Capability[]
  readonly controls: 'auto' | 'show' | 'none'
}

/**
 * Which commands make sense, and whether they may be given now. `auto` shows no button that can never work for this
 * viewer; a lost link is no such reason, so the button stays and says why it waits.
 */
export function offer({ row, linkIsLive, can, controls }: Circumstances): Offer | null {
  if (controls === 'none') return null
  const never = neverWorks(row, can)
  if (controls === 'auto' && (never !== null || !row.managed)) return null
  return { actions: actionsFor(row), blocked: never ?? (linkIsLive ? null : 'link') }
}

function neverWorks(row: Connection, can: readonly Capability[]): Blocked | null {
  if (!can.includes('control')) return 'viewOnly'
  return row.desired === null && !row.managed ? 'notControllable' : null
}

function actionsFor(row: Connection): Offer['actions'] {
  // Neither the wish nor the truth is known: both ways are open.
  if (row.desired === null && row.status === 'unknown') return ['connect', 'disconnect']
  if (row.desired === 'disconnected') return ['connect']
  if (row.status === 'failed') return ['reconnect', 'disconnect']
  return ['disconnect']
}
