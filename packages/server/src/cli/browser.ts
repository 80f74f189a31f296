import { spawn } from 'node:child_process'
import { platform } from 'node:os'
import type { Environment } from '../config/environment.ts'

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** Opens a page in the browser of this machine; does nothing in CI, in an SSH session or without a desktop. */
export function openInBrowser(url: string, environment: Environment): void {
  const { CI, SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = environment
  if (CI ?? SSH_CONNECTION) return
  const desktop = platform() === 'darwin' || platform() === 'win32' || DISPLAY || WAYLAND_DISPLAY
  if (!desktop) return
  const [command, ...args] = OPENERS[platform()] ?? ['xdg-open']
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
