import type { Log } from '../../log.ts'
import { clean } from '../reasons/reasons.ts'
import type { Failure } from '../reasons/failure.ts'
import type { Secrets } from '../session/settings.ts'

/** There are secrets, but one of them can't be read now. */
export interface Unreadable {
  /** Names the field and the key or the reference, never a secret. */
  readonly unreadable: string
  /**
   * What makes it readable: another setting, a file that appears, or resources of this machine.
   *
   * @default 'setting'
   */
  readonly obstacle?: 'setting' | 'file' | 'machine'
}

/** A file may appear without a change of the row, and looking for it costs no broker anything. */
const LOOK_AGAIN_MS = 60_000

/** Why the connection can't be dialled. */
export function fromUnreadable({ unreadable, obstacle = 'setting' }: Unreadable): Failure {
  const detail = clean(unreadable)
  if (obstacle === 'machine') return { reason: 'local_resources', detail, code: null }
  const failure: Failure = { reason: 'secret_unreadable', detail, code: null }
  return obstacle === 'file' ? { ...failure, overInMs: LOOK_AGAIN_MS } : failure
}

/**
 * Reads the secrets of connections; one that has none may be left out.
 *
 * @throws when the table can't be read at the moment
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
 * Reads the secrets of a connection at each dial and does not store them, so that a rotation counts from the next dial on.
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

  /** Waits as long as the table is away: a dial without its password would only be a false alarm. */
  async read(id: string, signal: AbortSignal): Promise<Secrets | Unreadable> {
    while (!signal.aborted) {
      try {
        const found = await this.#ask(id)
        const secrets = found.get(id)
        return secrets === undefined ? NONE : secrets
      } catch (error) {
        this.#log.warn({ err: error }, 'secrets can not be read; trying again')
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
