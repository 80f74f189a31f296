'use client'

import type { Connection, ConnectionView } from '@mqtt-status/widgets/client'
import { skipToken, useQuery } from '@tanstack/react-query'

export const CONNECTIONS = 'mqtt-connections'
export const keyOf = (id: string) => [CONNECTIONS, id] as const

/**
 * One connection, from the cache.
 *
 * @param known its row when the server rendered the page
 */
export function useConnection(id: string, known: Connection | null): ConnectionView {
  const rendered = { connection: known, missing: false, pending: null, refusal: null }
  const { data = rendered } = useQuery<ConnectionView>({
    queryKey: keyOf(id),
    queryFn: skipToken,
    initialData: rendered,
  })
  return data
}
