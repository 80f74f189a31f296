/** Places that are taken and given back, counted by the key of the client that holds them. */

/** What holds a place: a socket, or a stream of events. */
export interface Occupant {
  /** Resolves to whether the peer has shown within this time that it is there. */
  prove(withinMs: number): Promise<boolean>
  /** Ends the stream of a peer that is able to come back; @returns whether it does. */
  yield(): boolean
  /** Closes without waiting for the peer. */
  terminate(): void
}

/** A place whose occupant is known once its handshake is done. */
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
  /** Keys whose occupants are being asked for a sign of life. */
  readonly #asked = new Map<string, Promise<void>>()

  /** @param limit places for each key; 0 = any number */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Keys with a place taken, or whose occupants are being asked, for leak checks. */
  get size(): number {
    return new Set([...this.#taken.keys(), ...this.#asked.keys()]).size
  }

  /** @returns how to give the place back (once is enough, twice does no harm), or `null` if none is free */
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
   * Takes a place like `take`. Where none is free, the server first asks the occupants for a sign of life and takes the
   * places of those that give none. If all give one, the oldest stream that is able to come back makes room.
   */
  async claim(key: string, holder: Holder, withinMs: number): Promise<(() => void) | null> {
    const free = this.take(key, holder)
    if (free !== null) return free
    await (this.#asked.get(key) ?? this.#ask(key, withinMs))
    return this.take(key, holder) ?? (this.#makeRoom(key) ? this.take(key, holder) : null)
  }

  /** All clients that want a place meanwhile wait for the same answers. */
  #ask(key: string, withinMs: number): Promise<void> {
    const asking = Promise.all(
      [...(this.#taken.get(key) ?? [])].map(async ({ holder: { occupant }, leave }) => {
        if (occupant === null || (await occupant.prove(withinMs))) return
        leave()
        occupant.terminate()
      }),
    ).then(() => {
      this.#asked.delete(key)
    })
    this.#asked.set(key, asking)
    return asking
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
