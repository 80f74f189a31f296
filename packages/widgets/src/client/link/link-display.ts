/** Keeps the view of the link, and delays a loss that may end within a second. */
import type { ServerClock } from './clock.ts'
import type { LinkPhase } from './link-state.ts'
import { firstView, heard, isMending, nextView } from './link-view.ts'
import type { Link, Shown } from './link-view.ts'

export interface LinkDisplayOptions {
  readonly clock: ServerClock
  readonly now: () => number
  readonly onChange: () => void
}

export class LinkDisplay {
  readonly #options: LinkDisplayOptions
  #shown: Shown
  /** The page shows no loss before it fires. */
  #quiet: ReturnType<typeof setTimeout> | undefined

  constructor(options: LinkDisplayOptions) {
    this.#options = options
    this.#shown = firstView(options.now())
  }

  /** Its identity changes only when something in it does. */
  get link(): Link {
    return this.#shown.link
  }

  /** @param quietMs for how long a loss is not shown */
  show(phase: LinkPhase, quietMs: number): void {
    this.#shown = { ...this.#shown, phase }
    if (!isMending(this.#shown)) {
      this.stop()
      this.#render()
    } else if (this.#quiet === undefined) this.hush(quietMs)
  }

  /** Shows no loss for this long. */
  hush(quietMs: number): void {
    this.stop()
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined
      this.#render()
    }, quietMs)
  }

  stop(): void {
    clearTimeout(this.#quiet)
    this.#quiet = undefined
  }

  /** The server has sent a message. */
  heard(): void {
    this.#shown = heard(this.#shown, this.#options.clock.now())
  }

  /** The server has not read its database since then, in ms of its clock. */
  staleSince(trueAt: number): void {
    this.#shown = { ...this.#shown, trueAt }
  }

  #render(): void {
    const { clock, now, onChange } = this.#options
    const { link } = this.#shown
    const serverMs = clock.now()
    this.#shown = nextView(this.#shown, { serverMs, offsetMs: serverMs - now() })
    if (link !== this.#shown.link) onChange()
  }
}
