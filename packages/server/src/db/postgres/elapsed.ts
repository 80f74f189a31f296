/**
 * Time that has passed, by whichever clock has moved on further: the steady one stands still while a machine sleeps,
 * the other one may be set back. Too long is harmless here, too short is not.
 */
export class Elapsed {
  readonly #steady = performance.now()
  readonly #wall = Date.now()

  get ms(): number {
    return Math.max(performance.now() - this.#steady, Date.now() - this.#wall)
  }
}
