'use client'

import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'

/** Only the feed writes the cache: React Query fetches nothing, drops nothing, and keeps the identity of what it is given. */
const queries = { staleTime: Infinity, gcTime: Infinity, structuralSharing: false }

export function Queries({ children }: { children: ReactNode }) {
  const [queryClient] = useState(() => new QueryClient({ defaultOptions: { queries } }))
  return <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>
}
