/** Clients of several nodes that stay connected as pages do: each dials again when its socket closes. */
import { until } from '@mqtt-status/testing/until'
import { expect } from 'vitest'
import { Reader } from '../../packages/server/test/delivery/reader.ts'
import { websocket } from '../../packages/server/test/delivery/wires.ts'

const REDIAL_MS = 250

export class Crowd {
  readonly #readers: readonly Reader[]
  readonly #redial: NodeJS.Timeout

  /** @param urls of the nodes; clients dial them in turn */
  constructor(count: number, urls: readonly string[]) {
    this.#readers = Array.from(
      { length: count },
      (_, i) => new Reader(`client ${i}`, websocket, { token: null, watch: { all: true } }),
    )
    let turn = 0
    const dial = (): void => {
      for (const reader of this.#readers)
        if (!reader.connected) reader.connect(urls[turn++ % urls.length] ?? '')
    }
    dial()
    this.#redial = setInterval(dial, REDIAL_MS)
  }

  /** How many clients have a socket that is not closed. */
  get connected(): number {
    return this.#readers.filter(({ connected }) => connected).length
  }

  /**
   * Waits until every client has exactly these rows.
   *
   * @param expected asked anew each time, because rows may still change; in the order of their text
   * @throws where a client has others, or where a revision went back
   */
  async has(expected: () => Promise<readonly string[]>): Promise<void> {
    let wanted: readonly string[] = []
    let other: Reader | undefined
    await until(
      async () => {
        wanted = await expected()
        other = this.#readers.find((reader) => heard(reader).join('\n') !== wanted.join('\n'))
        return other === undefined
      },
      { timeoutMs: 30_000 },
    ).catch((error: unknown) => {
      if (other === undefined) throw error
    })
    if (other !== undefined) expect(heard(other), other.name).toEqual(wanted)
    expect(this.#readers.flatMap(({ faults }) => faults)).toEqual([])
  }

  leave(): void {
    clearInterval(this.#redial)
    for (const reader of this.#readers) reader.disconnect()
  }
}

/** The rows of a client, each as one text. */
function heard({ rows }: Reader): string[] {
  return Array.from(rows.values(), ({ id, siteId, name, status }) =>
    [id, siteId, name, status].join(' '),
  ).toSorted()
}
