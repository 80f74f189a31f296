'use client'

import { useQueryClient } from '@tanstack/react-query'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { client } from './client'
import { CONNECTIONS, keyOf } from './use-connection'

/** Keeps the cache equal to what the client knows. The layout calls it once. */
export function useMqttStatusSocket(): void {
  const queryClient = useQueryClient()
  useEffect(() => {
    const update = () => publish(queryClient)
    const leave = client.watch({ all: true }, update)
    // The server has answered already if the layout was here before.
    update()
    return leave
  }, [queryClient])
}

function publish(queryClient: QueryClient): void {
  // Until the server answers, the cache keeps what this app has rendered.
  if (!client.answered({ all: true })) return
  const cached = queryClient.getQueryCache().findAll({ queryKey: [CONNECTIONS] })
  const ids = new Set([
    ...client.rows().map(({ id }) => id),
    // Connections that were removed.
    ...cached.map(({ queryKey }) => String(queryKey[1])),
  ])
  for (const id of ids) {
    const view = client.connection(id).get()
    if (queryClient.getQueryData(keyOf(id)) !== view) queryClient.setQueryData(keyOf(id), view)
  }
}
