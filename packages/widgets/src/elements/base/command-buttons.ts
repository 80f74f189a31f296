import type { ReactiveController, ReactiveControllerHost, TemplateResult } from 'lit'
import type { Action, Connection } from '@mqtt-status/protocol'
import type { LinkState, Outcome, Pending } from '../../client/index.ts'
import { attempt } from '../../client/report.ts'
import { announcer, inWords } from '../../page/announcer.ts'
import { CommandController, isWaiting } from '../../controllers/command.ts'
import type { Command, CommandState, Target } from '../../controllers/command.ts'
import { offer } from '../parts/offer.ts'
import type { Offer } from '../parts/offer.ts'
import { wordOf } from '../../attributes/words.ts'
import type { Word, WordProperty } from '../../attributes/words.ts'
import { buttons } from '../parts/buttons.ts'
import type { Inside } from './connected.ts'
import { MqttStatusCommandEndEvent, MqttStatusCommandEvent } from '../../events.ts'
import { failureText } from '../scene/message.ts'

/** How an element wants its buttons. */
export interface ButtonsWish {
  readonly controls: Word<'controls'>
  readonly action: Word<'action'>
  readonly labelHidden: boolean
  /** Whether the page may replace words and icon by slots. */
  readonly slots: boolean
  /** Whether the element shows elsewhere why a button is disabled; otherwise the reason stands beside the button. */
  readonly silent: boolean
}

/** The element that the buttons belong to. */
export interface CommandingHost extends ReactiveControllerHost, HTMLElement {
  readonly connection: Connection | null
  readonly pending: Pending | null
  readonly link: LinkState | null
  readonly confirm: WordProperty<'confirm'>
}

/** The buttons of an element, the commands that they send, and the focus on them. */
export class CommandButtons implements ReactiveController {
  readonly #host: CommandingHost
  readonly #inside: Inside
  readonly #command: CommandController
  /** How the element wanted its buttons at the last update. */
  #wish: ButtonsWish | null = null
  /** What gets the focus if the update removes the focused node; `null` = the focus is not in the element. */
  #heir: string | null = null

  constructor(host: CommandingHost, inside: Inside) {
    this.#host = host
    this.#inside = inside
    this.#command = new CommandController(host, {
      target: () => this.#target(),
      allow: ({ id, action, requestId }) =>
        host.dispatchEvent(new MqttStatusCommandEvent({ id, action, requestId })),
      ended: (command, outcome) => {
        this.#reportEnd(command, outcome)
      },
    })
    host.addController(this)
  }

  get state(): CommandState {
    return this.#command.state
  }

  /** Sends a command; resolves when it has ended, with any outcome. */
  run(action: Action): Promise<Outcome> {
    return this.#command.run(action)
  }

  hostUpdate(): void {
    const focused = this.#host.shadowRoot?.activeElement
    const asked = focused?.closest<HTMLElement>('.ask')?.dataset['action']
    const heir = asked ? `.${asked}` : focused?.closest('.buttons') ? '.no, .main' : '#name'
    this.#heir = focused ? heir : null
  }

  /**
   * An update that removes the focused node must not move the focus to the top of the page. A button of the connection
   * passes the focus to another one, and a question to the button that opened it. Any other node passes it to the name,
   * because a viewer who presses Retry twice, or answers too late, means no command.
   */
  hostUpdated(): void {
    if (this.#heir !== null && !this.#host.shadowRoot?.activeElement) this.#focus(this.#heir)
    this.#heir = null
  }

  /** The actions on offer; `null` = no button is shown. */
  offered(wish: ButtonsWish): Offer | null {
    const { state } = this
    this.#wish = wish
    return this.#offer(state.kind === 'failed' && state.code === 'forbidden')
  }

  #offer(refused: boolean): Offer | null {
    const { connection, link } = this.#host
    return connection && this.#wish
      ? offer({
          row: connection,
          link,
          can: this.#inside.store.client?.can ?? [],
          controls: this.#wish.controls,
          action: this.#wish.action,
          refused,
        })
      : null
  }

  /** Whether the action is still on offer: another viewer may have taken it while the question was open. */
  #mayStill(action: Action): boolean {
    const offered = this.#offer(false)
    return offered?.blocked === null && offered.actions.includes(action)
  }

  /** The template of the buttons. */
  render(offered: Offer, { labelHidden, slots, silent }: ButtonsWish): TemplateResult {
    const { state } = this
    return buttons({
      offer: offered,
      state,
      running: state.kind === 'running' ? state.action : this.#waiting(),
      locale: this.#inside.language().locale,
      waiting: isWaiting(state),
      labelHidden,
      tooltips: labelHidden || this.#inside.density() !== 'comfortable',
      slots,
      silent,
      press: (action) => {
        this.#press(action)
      },
      confirm: (action) => {
        // The question may have ended, or the row changed, after the last render.
        if (this.state.kind === 'asking' && this.#isDrawn()) void this.#command.run(action)
      },
      cancel: () => {
        this.#command.cancel()
      },
    })
  }

  #reportEnd(command: Command, result: Outcome): void {
    const { id, action, requestId } = command
    const { outcome, code } = result
    // The page's own texts may throw; the event is dispatched all the same.
    attempt(() => {
      this.#announceEnd(command, result)
    })
    this.#host.dispatchEvent(
      new MqttStatusCommandEndEvent({ id, action, requestId, outcome, code }),
    )
  }

  #announceEnd(command: Command, { outcome, code, retryAfterMs }: Outcome): void {
    const { client, id, name, action } = command
    const language = this.#inside.language()
    const { locale, tag } = language
    const said = {
      done: locale.action[action].done,
      failed: failureText(language, code ?? 'internal', retryAfterMs).text,
      timeout: locale.noConfirmation,
      unknown: locale.outcomeUnknown,
      prevented: null,
    }[outcome]
    const { connection } = client.connection(id).get()
    const change = outcome === 'done' && connection ? this.#inside.describe(connection, name) : null
    if (said !== null) {
      // A command may succeed and lead to a failed connection: then the announcement is that of the row.
      const words = change?.look === 'failed' ? inWords(change) : `${name}: ${said}`
      announcer().say(words, tag, {
        from: this.#host,
        urgent: outcome === 'failed',
        covers: change,
      })
    }
  }

  /** The pending action; `null` also if it is overdue: then the button is enabled again, although the command may succeed. */
  #waiting(): Action | null {
    const { pending } = this.#host
    return pending && pending.phase !== 'overdue' ? pending.action : null
  }

  /** Whether the row on the screen is the current one: a click means the connection that the viewer sees. */
  #isDrawn(): boolean {
    return this.#host.connection?.id === this.#inside.row()?.id
  }

  #press(action: Action): void {
    if (!this.#isDrawn()) return
    const asks = wordOf('confirm', this.#host.confirm)
    if (asks !== 'all' && asks !== action) {
      void this.#command.run(action)
      return
    }
    this.#command.ask(action)
    void this.#host.updateComplete.then(() => {
      this.#focus('.no, .main')
    })
  }

  #focus(wanted: string): void {
    const root = this.#host.shadowRoot
    const found = root?.querySelector<HTMLElement>(wanted)
    ;(found ?? root?.querySelector<HTMLElement>('#name'))?.focus()
  }

  #target(): Target {
    const { connection, isConnected } = this.#host
    const { store, name } = this.#inside
    return {
      // An element that is off the page gets no rows, so it sends no commands either.
      client: isConnected ? store.client : null,
      id: store.id,
      name: name(),
      pending: this.#waiting() !== null,
      status: connection?.status ?? null,
      mayStill: (action) => this.#mayStill(action),
      seen: connection === null ? '' : `${connection.status} ${connection.since}`,
    }
  }
}
