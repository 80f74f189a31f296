import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { wakeIn } from '../page/clock.ts'

/** Requests an update of its host when a text on it is due to change. */
export class AlarmController implements ReactiveController {
  readonly #host: ReactiveControllerHost & { readonly isConnected: boolean }
  #stop: (() => void) | null = null

  constructor(host: ReactiveControllerHost & { readonly isConnected: boolean }) {
    this.#host = host
    host.addController(this)
  }

  /** Replaces the alarm that was set before. @param delayMs `null` = the text does not change with time */
  set(delayMs: number | null): void {
    this.#stop?.()
    this.#stop =
      delayMs === null || !this.#host.isConnected
        ? null
        : wakeIn(delayMs, () => {
            this.#host.requestUpdate()
          })
  }

  hostDisconnected(): void {
    this.set(null)
  }
}
