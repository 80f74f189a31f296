import type { PropertyDeclarations, TemplateResult } from 'lit'
import type { Action } from '@mqtt-status/protocol'
import type { Outcome } from '../../client/index.ts'
import { attempt } from '../../client/report.ts'
import { announcer, inWords } from '../../page/announcer.ts'
import { CommandController, isWaiting } from '../../controllers/command.ts'
import type { Command, CommandState, Target } from '../../controllers/command.ts'
import { offer } from '../parts/offer.ts'
import type { Offer } from '../parts/offer.ts'
import { wordOf } from '../../attributes/words.ts'
import type { Word, WordProperty } from '../../attributes/words.ts'
import { buttons } from '../parts/buttons.ts'
import { ConnectedElement } from './connected.ts'
import { MqttStatusCommandEndEvent, MqttStatusCommandEvent } from './events.ts'
import { failureText } from '../scene/message.ts'

/** How the buttons are wanted. */
export interface ButtonsWish {
  readonly controls: Word<'controls'>
  readonly action: Word<'action'>
  readonly labelHidden: boolean
  /** Whether the page may replace words and icon by slots. */
  readonly slots: boolean
  /** Whether why a button waits is said elsewhere; otherwise it is said beside it. */
  readonly silent: boolean
}

/**
 * An element that can give commands to its connection.
 *
 * @attr confirm - which commands ask first
 *
 * @fires {MqttStatusCommandEvent} mqtt-status-command - a command is about to be sent; cancelable
 * @fires {MqttStatusCommandEndEvent} mqtt-status-command-end - a command has ended
 */
export abstract class CommandingElement extends ConnectedElement {
  static override properties: PropertyDeclarations = {
    ...ConnectedElement.properties,
    confirm: {},
  }

  declare confirm: WordProperty<'confirm'>
  readonly #command: CommandController
  /** How the buttons were wanted last. */
  #wish: ButtonsWish | null = null

  constructor() {
    super()
    this.#command = new CommandController(this, {
      target: () => this.#target(),
      allow: ({ id, action, requestId }) =>
        this.dispatchEvent(new MqttStatusCommandEvent({ id, action, requestId })),
      ended: (command, outcome) => {
        this.#tellEnd(command, outcome)
      },
    })
  }

  /** Asks the server to connect; resolves when the command has ended, however. */
  connect(): Promise<Outcome> {
    return this.#command.run('connect')
  }

  /** Asks the server to disconnect; resolves when the command has ended, however. */
  disconnect(): Promise<Outcome> {
    return this.#command.run('disconnect')
  }

  /** Asks the server to disconnect and connect again; resolves when the command has ended, however. */
  reconnect(): Promise<Outcome> {
    return this.#command.run('reconnect')
  }

  protected override get commandState(): CommandState {
    return this.#command.state
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    const focused = this.shadowRoot?.activeElement
    const asked = focused?.closest<HTMLElement>('.ask')?.dataset['action']
    const heir = asked ? `.${asked}` : focused?.closest('.buttons') ? '.no, .main' : '#name'
    super.update(changed)
    // What made room for something else must not throw the keyboard back to the top of the page; but only a button of
    // the connection hands it on to another one, and a question only to the button that asked it: whoever presses
    // Retry twice, or answers too late, means no command.
    if (focused && !this.hasFocusInside()) this.#focus(heir)
  }

  /** What may be done now; `null` = there is nothing to show. */
  protected offered(wish: ButtonsWish): Offer | null {
    const state = this.commandState
    this.#wish = wish
    return this.#offer(state.kind === 'failed' && state.code === 'forbidden')
  }

  #offer(refused: boolean): Offer | null {
    const { connection, link, store } = this
    return connection && this.#wish
      ? offer({
          row: connection,
          link,
          can: store.client?.can ?? [],
          controls: this.#wish.controls,
          action: this.#wish.action,
          refused,
        })
      : null
  }

  /** Whether a question about it still makes sense: meanwhile somebody else may have answered it. */
  #mayStill(action: Action): boolean {
    const offered = this.#offer(false)
    return offered?.blocked === null && offered.actions.includes(action)
  }

  protected buttons(offered: Offer, { labelHidden, slots, silent }: ButtonsWish): TemplateResult {
    const state = this.commandState
    return buttons({
      offer: offered,
      state,
      running: state.kind === 'running' ? state.action : this.#waiting(),
      locale: this.speech.locale,
      waiting: isWaiting(state),
      labelHidden,
      tooltips: labelHidden || this.density !== 'comfortable',
      slots,
      silent,
      press: (action) => {
        this.#press(action)
      },
      confirm: (action) => {
        // Whatever has come of the question since it was drawn.
        if (this.commandState.kind === 'asking' && this.#isDrawn()) void this.#command.run(action)
      },
      cancel: () => {
        this.#command.cancel()
      },
    })
  }

  #tellEnd(command: Command, result: Outcome): void {
    const { id, action, requestId } = command
    const { outcome, code } = result
    // Whatever the page's own words do, the page learns how it has ended.
    attempt(() => {
      this.#announceEnd(command, result)
    })
    this.dispatchEvent(new MqttStatusCommandEndEvent({ id, action, requestId, outcome, code }))
  }

  #announceEnd(command: Command, { outcome, code, retryAfterMs }: Outcome): void {
    const { client, id, name, action } = command
    const { locale, tag } = this.speech
    const said = {
      done: locale.action[action].done,
      failed: failureText(this.speech, code ?? 'internal', retryAfterMs).text,
      timeout: locale.noConfirmation,
      unknown: locale.outcomeUnknown,
      prevented: null,
    }[outcome]
    const { connection } = client.connection(id).get()
    const told = outcome === 'done' && connection ? this.inNews(connection, name) : null
    if (said !== null) {
      // What was carried out may have led to a failure all the same: then the row has the words for it.
      const words = told?.look === 'failed' ? inWords(told) : `${name}: ${said}`
      announcer().say(words, tag, { from: this, urgent: outcome === 'failed', told })
    }
  }

  /** Once a command is overdue its button works again, although it may still succeed. */
  #waiting(): Action | null {
    const { pending } = this
    return pending && pending.phase !== 'overdue' ? pending.action : null
  }

  /** Whoever presses a button means the connection that is seen beside it. */
  #isDrawn(): boolean {
    return this.connection?.id === this.scene.row?.id
  }

  #press(action: Action): void {
    if (!this.#isDrawn()) return
    const asks = wordOf('confirm', this.confirm)
    if (asks !== 'all' && asks !== action) {
      void this.#command.run(action)
      return
    }
    this.#command.ask(action)
    void this.updateComplete.then(() => {
      this.#focus('.no, .main')
    })
  }

  #focus(wanted: string): void {
    const root = this.shadowRoot
    const found = root?.querySelector<HTMLElement>(wanted)
    ;(found ?? root?.querySelector<HTMLElement>('#name'))?.focus()
  }

  #target(): Target {
    const { connection } = this
    return {
      // Away from the page nobody keeps up with what it says.
      client: this.isConnected ? this.store.client : null,
      id: this.store.id,
      name: this.displayName,
      pending: this.#waiting() !== null,
      status: connection?.status ?? null,
      mayStill: (action) => this.#mayStill(action),
      seen: connection === null ? '' : `${connection.status} ${connection.since}`,
    }
  }
}
