/** What an element shows at one moment, gathered from row, feed and clock before anything is drawn. */
import { appearance } from '@mqtt-status/protocol'
import type { Appearance, Connection } from '@mqtt-status/protocol'
import { linkTrouble } from '../../controllers/link.ts'
import type { Language } from '../../locales/registry.ts'
import { absolute, ago, dated, full, lasting } from '../../locales/time.ts'
import type { SceneInput } from './input.ts'
import { explain } from './message.ts'
import type { Message } from './message.ts'

/** When something happened, for the eye, for machines and, once it is wanted, for the tooltip. */
export interface Moment {
  readonly text: string
  readonly iso: string
  readonly full: string | null
}

export interface Scene {
  readonly kind: 'loading' | 'blind' | 'row'
  /** Why there is nothing to show, as a code: a state of the feed, `missing`, `limit_watch`, `ambiguous`, `unnamed`, `unconfigured`, `malformed`. */
  readonly trouble: string | null
  readonly row: Connection | null
  readonly appearance: Appearance | null
  /** The row is the last one known, not necessarily what is true now. */
  readonly dimmed: boolean
  readonly moment: Moment | null
  readonly message: Message | null
  /** What is known of the device behind the connection, in pieces that are best not broken. */
  readonly device: readonly string[] | null
  /** After how long the scene changes by itself, in ms; `null` = never. */
  readonly staysMs: number | null
}

export function compose(input: SceneInput): Scene {
  const row = input.view.connection
  return row === null ? withoutRow(input) : withRow(row, input)
}

function withoutRow(input: SceneInput): Scene {
  const trouble = troubleOf(input)
  const message = explain(input, trouble)
  return {
    kind: trouble === null ? 'loading' : 'blind',
    trouble,
    row: null,
    appearance: null,
    dimmed: false,
    moment: null,
    message,
    device: null,
    staysMs: message?.staysMs ?? null,
  }
}

function withRow(row: Connection, input: SceneInput): Scene {
  const { link, now } = input
  const message = explain(input, null)
  const look = appearance(row, now)
  const dimmed = link?.state !== 'live'
  const moment = dimmed && link ? asOf(link.since, input) : since(row, look, input)
  const device = deviceLine(row, input)
  return {
    kind: 'row',
    trouble: null,
    row,
    appearance: look,
    dimmed,
    moment,
    message,
    device: device?.pieces ?? null,
    staysMs: soonest([
      moment?.staysMs,
      message?.staysMs,
      device?.staysMs,
      look.changesAt && look.changesAt - now,
    ]),
  }
}

/** Why nothing will come, so that there is nothing to wait for. */
function troubleOf({ unnamed, serverless, several, view, link }: SceneInput): string | null {
  if (serverless) return serverless
  if (unnamed) return 'unnamed'
  const blocked = link && linkTrouble(link)
  if (blocked) return blocked
  if (view.refusal) return view.refusal.code
  if (several > 0) return 'ambiguous'
  return view.missing ? 'missing' : null
}

type Timed<T> = T & { readonly staysMs: number | null }

/** @returns `null` where the row names no time that there is */
function since(row: Connection, { look }: Appearance, input: SceneInput): Timed<Moment> | null {
  const { language, now, time, exact } = input
  const at = Date.parse(row.since)
  if (Number.isNaN(at)) return null
  const moment = { iso: row.since, full: exact ? full(language, at) : null }
  if (time === 'absolute') return { ...moment, ...absolute(language, at, now) }
  // What lasts is measured, what happened is dated.
  const happened = look === 'lost' || look === 'failed' || look === 'disconnected'
  const relative = happened ? ago(language, at, now) : lasting(language, now - at)
  if (time === 'relative') return { ...moment, ...relative }
  const named = absolute(language, at, now)
  const text = `${relative.text} (${named.text})`
  return { ...moment, text, staysMs: soonest([relative.staysMs, named.staysMs]) }
}

function asOf(at: number, { language, now, exact }: SceneInput): Timed<Moment> {
  const { text, staysMs } = dated(language, at, now)
  return {
    text: language.locale.asOf(text),
    iso: new Date(at).toISOString(),
    full: exact ? full(language, at) : null,
    staysMs,
  }
}

/** Since when the status is as it is says nothing about when the device was last heard: that has a line of its own. */
function deviceLine(
  row: Connection,
  { language, now }: SceneInput,
): Timed<{ pieces: readonly string[] }> | null {
  const { locale } = language
  // A newer server may know states of a device that this version has no word for.
  if (!(row.device in locale.device)) return null
  // A device that nobody listens to is not to blame for its silence.
  const isIgnored = row.status === 'disconnected' && row.desired === 'disconnected'
  const word = isIgnored && row.device === 'stale' ? null : locale.device[row.device as Heard]
  const heardAt = Date.parse(row.lastMessageAt ?? '')
  if (Number.isNaN(heardAt)) return word === null ? null : { pieces: [word], staysMs: null }
  const last = ago(language, heardAt, now)
  const heard = locale.lastMessage(last.text)
  const pieces = word === null ? [capitalized(heard, language)] : [`${word}\u00a0·`, heard]
  return { pieces, staysMs: last.staysMs }
}

type Heard = keyof Language['locale']['device']

function capitalized(text: string, { tag }: Language): string {
  return text.charAt(0).toLocaleUpperCase(tag) + text.slice(1)
}

function soonest(delays: readonly (number | null | undefined)[]): number | null {
  const known = delays.flatMap((delay) => (delay != null && !Number.isNaN(delay) ? delay : []))
  return known.length === 0 ? null : Math.min(...known)
}
