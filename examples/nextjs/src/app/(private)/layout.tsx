import Link from 'next/link'
import type { ReactNode } from 'react'
import { LinkState } from '@/mqtt-status/link-state'
import { Queries } from '@/mqtt-status/queries'
import { WebSocketInitializer } from '@/mqtt-status/websocket-initializer'

/** The pages of signed-in viewers. They share one cache and one WebSocket, which a navigation keeps. */
export default function PrivateLayout({ children }: { children: ReactNode }) {
  return (
    <Queries>
      <WebSocketInitializer />
      <nav>
        <Link href="/">Elements</Link> <Link href="/dataloggers">Dataloggers</Link>{' '}
        <Link href="/about">About</Link>
      </nav>
      <LinkState />
      <main>{children}</main>
    </Queries>
  )
}
