/** Whether cards reserve the room of a button before the server has answered, so that they do not grow later. */
import type { StatusClient } from '../client/index.ts'

const CONTROL = 'control'
const VIEW = 'view'

/** The last value written for each server, so that a page of many cards writes once. */
const written = new Map<string, string>()

/**
 * Whether the viewer may send commands: by the server's welcome, else by the one on an earlier page of this visit, else
 * `true`.
 */
export function expectsControl(client: StatusClient | null): boolean {
  if (!client) return true
  const key = `mqtt-status:can:${client.src}`
  // A welcome contains at least `view`, so an empty list means that none has come.
  if (client.can.length === 0) return read(key) !== VIEW
  const isController = client.can.includes('control')
  remember(key, isController ? CONTROL : VIEW)
  return isController
}

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    // A sandboxed page has no `sessionStorage`.
    return null
  }
}

function remember(key: string, value: string): void {
  if (written.get(key) === value) return
  written.set(key, value)
  try {
    sessionStorage.setItem(key, value)
  } catch {
    // Without storage the next page reserves the room of a button until the server answers.
  }
}
