/** Progress of something that takes seconds, for a person: a line with a tick for each step when it is done. */
export class Steps {
  readonly #print: (line: string) => void
  readonly #now: () => number

  constructor(print: (line: string) => void, now: () => number = () => performance.now()) {
    this.#print = print
    this.#now = now
  }

  /** Does one step and says how long it took. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const begun = this.#now()
    const result = await work()
    this.#print(`✓ ${name} (${((this.#now() - begun) / 1_000).toFixed(1)} s)`)
    return result
  }
}
