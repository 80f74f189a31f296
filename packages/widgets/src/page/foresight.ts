/** What cards expect of a server before it has answered, so that they keep the right room from the first paint on. */
import type { StatusClient } from '../client/index.ts'

const CONTROL = 'control'
const VIEW = 'view'

/** The last value written, so that a page of cards writes once. */
const written = new Map<string, string>()

/**
 * Whether the visitor may command connections of this server: as the server says, else as it said on an earlier page of
 * this visit, else `true`.
 */
export function expectsControl(client: StatusClient | null): boolean {
  if (!client) return true
  const key = `mqtt-status:can:${client.src}`
  // The server names at least `view` in its welcome.
  if (client.can.length === 0) return read(key) !== VIEW
  const isController = client.can.includes('control')
  remember(key, isController ? CONTROL : VIEW)
  return isController
}

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    // A sandboxed page has no storage.
    return null
  }
}

function remember(key: string, value: string): void {
  if (written.get(key) === value) return
  written.set(key, value)
  try {
    sessionStorage.setItem(key, value)
  } catch {
    // Then the next page keeps room for a button until the server answers.
  }
}
