import type { Log } from '../../log.ts'
import { clean } from '../reasons/detail.ts'
import type { Failure } from '../reasons/failure.ts'
import type { Secrets } from '../session/dial-settings.ts'

/** A connection has secrets, and the server can't read one of them now. */
export interface Unreadable {
  /** Says which field, and which key or reference; it contains no secret. */
  readonly unreadable: string
  /**
   * What the server lacks: a valid setting, a file, or resources of this machine.
   *
   * @default 'setting'
   */
  readonly obstacle?: 'setting' | 'file' | 'machine'
}

/** The server looks for a missing file once a minute, because the file may appear without a change of the row. */
const LOOK_AGAIN_MS = 60_000

/** @returns the failure of a connection whose secret is unreadable */
export function fromUnreadable({ unreadable, obstacle = 'setting' }: Unreadable): Failure {
  const detail = clean(unreadable)
  if (obstacle === 'machine') return { reason: 'local_resources', detail, code: null }
  const failure: Failure = { reason: 'secret_unreadable', detail, code: null }
  return obstacle === 'file' ? { ...failure, overInMs: LOOK_AGAIN_MS } : failure
}

/**
 * Reads the secrets of connections. The map may leave out a connection without secrets.
 *
 * @throws if the table can't be read at the moment
 */
export type ReadSecrets = (
  ids: readonly string[],
) => Promise<ReadonlyMap<string, Secrets | Unreadable>>

interface Asking {
  readonly ids: Set<string>
  readonly answer: Promise<ReadonlyMap<string, Secrets | Unreadable>>
}

const RETRY_MS = 1_000
const NONE: Secrets = {}

/**
 * Reads the secrets of a connection at each dial and does not store them, so that the next dial uses a rotated secret.
 * Dials at the same moment share one read of the table.
 */
export class SecretReader {
  readonly #read: ReadSecrets
  readonly #log: Log
  #asking: Asking | null = null

  constructor(read: ReadSecrets, log: Log) {
    this.#read = read
    this.#log = log
  }

  /** Retries each second while the table can't be read: a dial without the password would fail with a wrong reason. */
  async read(id: string, signal: AbortSignal): Promise<Secrets | Unreadable> {
    while (!signal.aborted) {
      try {
        const found = await this.#ask(id)
        const secrets = found.get(id)
        return secrets === undefined ? NONE : secrets
      } catch (error) {
        this.#log.warn({ err: error }, 'secrets can not be read; the server tries again in 1 s')
        await pause(RETRY_MS, signal)
      }
    }
    return NONE
  }

  #ask(id: string): Promise<ReadonlyMap<string, Secrets | Unreadable>> {
    if (this.#asking === null) {
      const ids = new Set<string>()
      const answer = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.#asking = null
        return this.#read([...ids])
      })
      this.#asking = { ids, answer }
    }
    this.#asking.ids.add(id)
    return this.#asking.answer
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
