/**
 * Reads the names in the hosts file of this machine. Name servers do not know these names, and the operating system reads the file
 * in a thread that a silent name server can block.
 */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { platform } from 'node:os'

/** The resolver reads the file again after this time. */
const FRESH_MS = 5_000
const FILE = platform() === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

export class HostsFile {
  readonly #path: string
  #names: Promise<ReadonlyMap<string, readonly string[]>> | null = null
  #readAtMs = 0

  constructor(path: string = FILE) {
    this.#path = path
  }

  /**
   * @returns the addresses of a name, none if the file does not have it
   * @throws where this machine lacks what it needs to read any file
   */
  async addressesOf(host: string): Promise<readonly string[]> {
    const nowMs = performance.now()
    if (this.#names === null || nowMs - this.#readAtMs > FRESH_MS) {
      this.#readAtMs = nowMs
      this.#names = namesIn(this.#path)
      this.#names.catch(() => {
        this.#names = null
      })
    }
    return (await this.#names).get(host.toLowerCase().replace(/\.$/, '')) ?? []
  }
}

/** Codes after which the file counts as empty: it does not exist, or this process may not read it. */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR'])

async function namesIn(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    return parseHosts(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(error.code)) return new Map()
    throw error
  }
}

/** Parses lines of an address and its names; like the operating system, it skips lines without an address. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const line of text.split(/\r?\n/)) {
    const [address = '', ...all] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of all.map((each) => each.toLowerCase())) {
      const known = names.get(name)
      if (known === undefined) names.set(name, [address])
      else if (!known.includes(address)) known.push(address)
    }
  }
  return names
}
