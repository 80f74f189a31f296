/** Composes what an element shows at one moment from row, link, command and time, before the element renders. */
import { appearance } from '@mqtt-status/protocol'
import type { Appearance, Connection } from '@mqtt-status/protocol'
import { linkTrouble } from '../../controllers/link.ts'
import type { Language } from '../../locales/registry.ts'
import { absolute, ago, dated, full, lasting } from '../../locales/time.ts'
import type { SceneInput } from './input.ts'
import { explain } from './message.ts'
import type { Message } from './message.ts'

/** A time in words, as ISO text for `datetime`, and as the full date of the tooltip once the viewer needs it. */
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
  /** The link is not live: the row may be out of date. */
  readonly dimmed: boolean
  readonly moment: Moment | null
  readonly message: Message | null
  /** The line about the device behind the connection, in pieces that a line break should not split. */
  readonly device: readonly string[] | null
  /** The scene is out of date after so many ms; `null` = it does not depend on time. */
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

/** Why no row will come; `null` = the element waits for one. */
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

/** @returns `null` if `since` of the row is no valid date */
function since(row: Connection, { look }: Appearance, input: SceneInput): Timed<Moment> | null {
  const { language, now, time, exact } = input
  const at = Date.parse(row.since)
  if (Number.isNaN(at)) return null
  const moment = { iso: row.since, full: exact ? full(language, at) : null }
  if (time === 'absolute') return { ...moment, ...absolute(language, at, now) }
  // A state that lasts shows its duration, an event its age.
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

/** The line about the device: its state and its last message. `since` of the row says nothing about either. */
function deviceLine(
  row: Connection,
  { language, now }: SceneInput,
): Timed<{ pieces: readonly string[] }> | null {
  const { locale } = language
  // A newer server may send a state of the device that this version has no word for.
  if (!(row.device in locale.device)) return null
  // While the connection is off on purpose no node receives messages, so `stale` says nothing about the device.
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
