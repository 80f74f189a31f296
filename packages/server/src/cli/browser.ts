import { spawn } from 'node:child_process'
import { platform } from 'node:os'

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** Shows a page to whoever sits at this machine; does nothing on a server, in CI, or where there is no browser. */
export function openInBrowser(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const { CI, SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = environment
  if (CI ?? SSH_CONNECTION) return
  const desktop = platform() === 'darwin' || platform() === 'win32' || DISPLAY || WAYLAND_DISPLAY
  if (!desktop) return
  const [command, ...args] = OPENERS[platform()] ?? ['xdg-open']
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
