/** Events for the page, and announcements for screen readers, about what an element shows. */
import type { Appearance, Connection } from '@mqtt-status/protocol'
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { wordOf } from '../attributes/words.ts'
import type { WordProperty } from '../attributes/words.ts'
import type { Link } from '../client/index.ts'
import { toJson } from '../client/json.ts'
import {
  MqttStatusChangeEvent,
  MqttStatusErrorEvent,
  MqttStatusLinkEvent,
  MqttStatusReadyEvent,
} from '../events.ts'
import type { Language } from '../locales/registry.ts'
import { announcer } from '../page/announcer.ts'
import type { Change } from '../page/announcer.ts'
import { isLinkNews, namedLink } from './link.ts'

/** What an element shows after an update. */
export interface Shown {
  readonly row: Connection | null
  readonly appearance: Appearance | null
  readonly link: Link | null
  /** Why the element can't show a row, as a code and in words; `null` = it shows one, or waits for it. */
  readonly trouble: { readonly code: string; readonly message: string } | null
}

export interface NewsSource {
  readonly shown: () => Shown
  readonly language: () => Language
  /** A row in the words of an announcement; `null` for elements that show no row. */
  readonly describe: ((row: Connection) => Change) | null
}

type Host = ReactiveControllerHost & Element & { readonly announce: WordProperty<'announce'> }

const NOTHING: Shown = { row: null, appearance: null, link: null, trouble: null }

/** Compares after each update what its host shows with what it showed before, and reports the difference. */
export class NewsController implements ReactiveController {
  readonly #host: Host
  readonly #source: NewsSource
  #shown: Shown = NOTHING
  /** The appearance that viewers of the announcements know; `null` = they know none. */
  #known: Appearance | null = null

  constructor(host: Host, source: NewsSource) {
    this.#host = host
    this.#source = source
    host.addController(this)
  }

  hostUpdated(): void {
    const before = this.#shown
    const now = this.#source.shown()
    this.#shown = now
    this.#announceRow(before, now)
    this.#announceLink(before.link, now.link)
    this.#dispatch(before, now)
  }

  #announceRow(before: Shown, { row, appearance }: Shown): void {
    if (!row || !appearance) return
    const isAnnounced = before.row?.id === row.id && this.#isAnnounced(appearance)
    if (isAnnounced) announcer().change(this.#change)
    else if (isAnnounced === false) this.#known = appearance
  }

  /** The announcer calls this at the end of its batch: a row that looks as before by then makes no announcement. */
  readonly #change = (): Change | null => {
    const { row, appearance } = this.#shown
    if (!this.#host.isConnected || !row || !appearance) return null
    if (!this.#isAnnounced(appearance)) return null
    this.#known = appearance
    return this.#source.describe?.(row) ?? null
  }

  /** `null` = a command is under way, and its result decides. */
  #isAnnounced(now: Appearance): boolean | null {
    const known = this.#known
    const mode = wordOf('announce', this.#host.announce)
    if (mode === 'off') return false
    const same = known?.look === now.look
    // A command that waits for its answer takes away the attention, not the problem.
    if (now.tone === 'progress' && (same || mode !== 'all')) return null
    if (same && known.attention === now.attention) return false
    return mode === 'all' || now.attention || known?.attention === true
  }

  #announceLink(before: Link | null, now: Link | null): void {
    const name = now && namedLink(now)
    if (this.#host.announce === 'off' || !before || !name || !isLinkNews(before, now)) return
    const { locale, tag } = this.#source.language()
    announcer().say(locale.link[name], tag, { from: this.#host })
  }

  #dispatch(before: Shown, now: Shown): void {
    if (now.link && now.link.state !== before.link?.state) {
      const { state, retryAt } = now.link
      this.#host.dispatchEvent(new MqttStatusLinkEvent({ state, retryAt }))
    }
    const event = rowEvent(before, now)
    if (event) this.#host.dispatchEvent(event)
    if (now.trouble && now.trouble.code !== before.trouble?.code)
      this.#host.dispatchEvent(new MqttStatusErrorEvent(now.trouble))
  }
}

function rowEvent(before: Shown, { row: connection }: Shown): Event | null {
  const previous = before.row
  if (!connection || connection === previous) return null
  const { id } = connection
  if (previous?.id !== id) return new MqttStatusReadyEvent(connection)
  if (meaning(previous) === meaning(connection)) return null
  // The row came while the client caught up, as far as the element can tell: its link was not live at the last update.
  const replay = before.link?.state !== 'live'
  return new MqttStatusChangeEvent({ id, previous, connection, replay })
}

/** The members of a row that make `mqtt-status-change`. A mere message of the device, several a second, does not. */
function meaning({ status, desired, reason, device, name, siteId, labels }: Connection): string {
  return toJson([status, desired, reason, device, name, siteId, labels])
}
