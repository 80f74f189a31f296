import 'server-only'
import { connection } from 'next/server'

export interface Viewer {
  readonly name: string
  /** The sites whose connections the viewer may see. */
  readonly sites: readonly string[] | '*'
  readonly mayControl: boolean
}

/** Replace this by the session of your portal; `null`: the viewer is not signed in. */
export async function currentViewer(): Promise<Viewer | null> {
  // Next.js renders a page at each request, and not while it builds, if the page reads a cookie, or waits for this.
  await connection()
  return { name: 'anna', sites: '*', mayControl: true }
}
