/** Counts the places of sockets and streams by key: an address or a token. */

/** A socket or SSE stream that holds a place. */
export interface Occupant {
  /** Resolves to whether the client has proved within this time that it is alive. */
  prove(withinMs: number): Promise<boolean>
  /** Ends a stream whose client is able to resume; @returns whether the occupant has ended it. */
  yield(): boolean
  /** Closes without waiting for the client. */
  terminate(): void
}

/** Holds a place; the occupant exists once its handshake is complete. */
export interface Holder {
  occupant: Occupant | null
}

interface Seat {
  readonly holder: Holder
  readonly leave: () => void
}

export class Seats {
  readonly #taken = new Map<string, Set<Seat>>()
  readonly #limit: number
  /** Keys whose occupants have to prove that they are alive. */
  readonly #proving = new Map<string, Promise<void>>()

  /** @param limit places for each key; 0 = any number */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Keys with a place taken, or with a proof under way, for leak checks. */
  get size(): number {
    return new Set([...this.#taken.keys(), ...this.#proving.keys()]).size
  }

  /** @returns a function that gives the place back, whose second call does nothing; `null` if no place is free */
  take(key: string, holder: Holder = { occupant: null }): (() => void) | null {
    const taken = this.#taken.get(key) ?? new Set<Seat>()
    if (this.#limit > 0 && taken.size >= this.#limit) return null
    this.#taken.set(key, taken)
    const leave = (): void => {
      if (taken.delete(seat) && taken.size === 0) this.#taken.delete(key)
    }
    const seat: Seat = { holder, leave }
    taken.add(seat)
    return leave
  }

  /**
   * Takes a place like `take`. If none is free, each occupant has to prove that it is alive, and those that do not lose their
   * place. If all are alive, the oldest stream whose client is able to resume ends.
   */
  async claim(key: string, holder: Holder, withinMs: number): Promise<(() => void) | null> {
    const free = this.take(key, holder)
    if (free !== null) return free
    await (this.#proving.get(key) ?? this.#prove(key, withinMs))
    return this.take(key, holder) ?? (this.#makeRoom(key) ? this.take(key, holder) : null)
  }

  /** Clients that want a place of this key meanwhile wait for the same proofs. */
  #prove(key: string, withinMs: number): Promise<void> {
    const proving = Promise.all(
      [...(this.#taken.get(key) ?? [])].map(async ({ holder: { occupant }, leave }) => {
        if (occupant === null || (await occupant.prove(withinMs))) return
        leave()
        occupant.terminate()
      }),
    ).then(() => {
      this.#proving.delete(key)
    })
    this.#proving.set(key, proving)
    return proving
  }

  /** Places are in the order in which they were taken. */
  #makeRoom(key: string): boolean {
    for (const { holder, leave } of this.#taken.get(key) ?? []) {
      if (holder.occupant?.yield() !== true) continue
      leave()
      return true
    }
    return false
  }
}
