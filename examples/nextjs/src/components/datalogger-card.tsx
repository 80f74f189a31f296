'use client'

import type { Action, Connection, Outcome } from '@mqtt-status/widgets/client'
import { useMutation } from '@tanstack/react-query'
import { client } from '@/mqtt-status/client'
import { useConnection } from '@/mqtt-status/use-connection'
import { useLink } from '@/mqtt-status/use-link'
import styles from './datalogger-card.module.css'

interface DataloggerCardProps {
  readonly id: string
  readonly name: string
  /** Its row when the server rendered the page. */
  readonly known: Connection | null
}

export function DataloggerCard({ id, name, known }: DataloggerCardProps) {
  const { connection, pending } = useConnection(id, known)
  const isLive = useLink()?.state === 'live'
  // The client shows a command as pending before it sends it, and takes that back if the server refuses it.
  const command = useMutation({ mutationFn: (action: Action) => client.command(id, action) })
  const isBusy = pending !== null && pending.phase !== 'overdue'
  const action = connection?.desired === 'connected' ? 'disconnect' : 'connect'
  const mayClick = isLive && !isBusy
  return (
    <article className={styles.card} data-connection-id={id} data-status={connection?.status}>
      <h2>{connection?.name ?? name}</h2>
      <p className={isLive ? undefined : styles.stale}>{connection?.status ?? 'unknown'}</p>
      {connection?.reason && <p>{connection.reason}</p>}
      {connection?.desired && (
        <button
          type="button"
          // `disabled` would take the keyboard focus away from the button.
          aria-disabled={!mayClick}
          onClick={() => mayClick && command.mutate(action)}
        >
          {isBusy && <span className={styles.spinner} aria-hidden="true" />}
          {isBusy ? BUSY[pending.action] : READY[action]}
        </button>
      )}
      <p role="status">{command.data && wordsOf(command.data)}</p>
    </article>
  )
}

const READY = { connect: 'Connect', disconnect: 'Disconnect' }
const BUSY = {
  connect: 'Connecting…',
  disconnect: 'Disconnecting…',
  // Another page may have sent it.
  reconnect: 'Reconnecting…',
}

function wordsOf({ outcome, code }: Outcome): string {
  if (outcome === 'failed') return `The command has failed: ${code}`
  return outcome === 'timeout' ? 'No confirmation yet' : ''
}
