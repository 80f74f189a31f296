/** Prints a line with a tick for each completed step of a command that takes seconds. */
export class Steps {
  readonly #print: (line: string) => void
  readonly #now: () => number

  constructor(print: (line: string) => void, now: () => number = () => performance.now()) {
    this.#print = print
    this.#now = now
  }

  /** Executes a step and prints how long it took. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const begun = this.#now()
    const result = await work()
    this.#print(`✓ ${name} (${((this.#now() - begun) / 1_000).toFixed(1)} s)`)
    return result
  }
}
