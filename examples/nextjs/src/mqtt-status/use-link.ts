'use client'

import type { Link } from '@mqtt-status/widgets/client'
import { useSyncExternalStore } from 'react'
import { client } from './client'

const subscribe = (listener: () => void) => client.onLink(listener)
const current = () => client.link
const onServer = () => null

/** The health of the feed; `null` while a server renders. The client is the store. */
export function useLink(): Link | null {
  return useSyncExternalStore(subscribe, current, onServer)
}
