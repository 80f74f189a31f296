'use client'

import { client } from './client'
import { useLink } from './use-link'

/** Says that the page may be out of date, and lets the viewer try at once. */
export function LinkState() {
  const link = useLink()
  if (link === null || link.state === 'live' || link.state === 'connecting') return null
  return (
    <p role="status">
      The feed is {link.state}. <button onClick={() => client.refresh()}>Try now</button>
    </p>
  )
}
