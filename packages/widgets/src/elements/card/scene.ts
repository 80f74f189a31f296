/** What a card shows at one moment, gathered from the row, the feed and the clock before anything is drawn. */
import { appearance } from '@mqtt-status/protocol'
import type { Action, Appearance, Connection } from '@mqtt-status/protocol'
import type { ConnectionView, Link } from '../../client/index.ts'
import type { CommandState } from '../../controllers/command.ts'
import { offer } from '../../controllers/offer.ts'
import type { Circumstances, Offer } from '../../controllers/offer.ts'
import type { Language } from '../../locales/registry.ts'
import { absolute, ago, clock, full, lasting } from '../../locales/time.ts'
import { explain, isTerminal } from './message.ts'
import type { Message } from './message.ts'

export interface SceneInput {
  readonly view: ConnectionView
  readonly link: Link | null
  readonly can: Circumstances['can']
  readonly controls: Circumstances['controls']
  readonly command: CommandState
  readonly language: Language
  readonly time: 'relative' | 'absolute' | 'both'
  /** No server is set anywhere, so nothing will ever come. */
  readonly unconfigured: boolean
  /** The server's time, in ms since the epoch. */
  readonly now: number
}

/** When something happened, for the eye, for machines and for the tooltip. */
export interface Moment {
  readonly text: string
  readonly iso: string
  readonly full: string
}

export interface Scene {
  readonly kind: 'loading' | 'blind' | 'row'
  readonly row: Connection | null
  readonly appearance: Appearance | null
  /** The row is the last one known, not necessarily what is true now. */
  readonly dimmed: boolean
  readonly moment: Moment | null
  readonly message: Message | null
  readonly offer: Offer | null
  readonly running: Action | null
  /** After how long the scene changes by itself, in ms; `null` = never. */
  readonly staysMs: number | null
}

export function compose(input: SceneInput): Scene {
  const { view, link, command, language, now } = input
  const row = view.connection
  const message: Message | null = input.unconfigured
    ? { part: 'message', text: language.locale.unconfigured, problem: true }
    : explain({ view, link: link?.state ?? null, command, language, now })
  const running = command.kind === 'running' ? command.action : (waiting(view)?.action ?? null)
  if (row === null)
    return { ...EMPTY, kind: isBlind(input) ? 'blind' : 'loading', message, running }
  return { ...composeRow(row, input, message), message, running }
}

/** Nothing will come, so there is nothing to wait for. */
function isBlind({ unconfigured, view, link }: SceneInput): boolean {
  return unconfigured || view.missing || (link !== null && isTerminal(link.state))
}

function composeRow(
  row: Connection,
  input: SceneInput,
  message: Message | null,
): Omit<Scene, 'message' | 'running'> {
  const { link, now } = input
  const look = appearance(row, now)
  const dimmed = link?.state !== 'live'
  const moment = dimmed && link ? asOf(link.since, input) : since(row, look, input)
  return {
    kind: 'row',
    row,
    appearance: look,
    dimmed,
    moment,
    offer: offer({ row, linkIsLive: !dimmed, can: input.can, controls: input.controls }),
    staysMs: soonest([moment.staysMs, message?.staysMs, look.changesAt && look.changesAt - now]),
  }
}

const EMPTY = {
  row: null,
  appearance: null,
  dimmed: false,
  moment: null,
  offer: null,
  staysMs: null,
} as const

/** Once a command is overdue its button works again, although it may still succeed. */
function waiting({ pending }: ConnectionView): ConnectionView['pending'] {
  return pending?.phase === 'overdue' ? null : pending
}

type TimedMoment = Moment & { readonly staysMs: number | null }

function since(row: Connection, { look }: Appearance, input: SceneInput): TimedMoment {
  const { language, now, time } = input
  const at = Date.parse(row.since)
  // What lasts is measured, what happened is dated.
  const happened = look === 'lost' || look === 'failed' || look === 'disconnected'
  const relative = happened ? ago(language, at, now) : lasting(language, now - at)
  const exact = absolute(language, at, now)
  const moment = { iso: row.since, full: full(language, at) }
  if (time === 'absolute') return { ...moment, text: exact, staysMs: null }
  const text = time === 'both' ? `${relative.text} (${exact})` : relative.text
  return { ...moment, text, staysMs: relative.staysMs }
}

function asOf(at: number, { language }: SceneInput): TimedMoment {
  return {
    text: language.locale.asOf(clock(language, at)),
    iso: new Date(at).toISOString(),
    full: full(language, at),
    staysMs: null,
  }
}

function soonest(delays: readonly (number | null | undefined)[]): number | null {
  const known = delays.filter((delay) => typeof delay === 'number')
  return known.length === 0 ? null : Math.min(...known)
}
