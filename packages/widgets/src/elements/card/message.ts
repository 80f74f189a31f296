/** The one line of explanation below the status: what matters most to whoever looks, in words. */
import type { Connection } from '@mqtt-status/protocol'
import type { ConnectionView, LinkState } from '../../client/index.ts'
import type { CommandState } from '../../controllers/command.ts'
import type { FailureCode, Locale } from '../../locales/locale.ts'
import type { Language } from '../../locales/registry.ts'
import { ago } from '../../locales/time.ts'

export interface Message {
  /** `reason` speaks of the MQTT connection, `message` of the way to it. */
  readonly part: 'reason' | 'message'
  readonly text: string
  readonly problem?: boolean
  readonly retry?: boolean
  /** Text of the broker, behind "Details". */
  readonly detail?: string | null
  /** After which the text is old, in ms. */
  readonly staysMs?: number | null
}

export interface Situation {
  readonly view: ConnectionView
  readonly link: LinkState | null
  readonly command: CommandState
  readonly language: Language
  readonly now: number
}

type Terminal = Extract<LinkState, 'unauthorized' | 'forbidden' | 'incompatible' | 'unavailable'>

export function explain(situation: Situation): Message | null {
  const { view, link, command, language } = situation
  const { locale } = language
  if (link !== null && isTerminal(link)) {
    return { part: 'message', text: locale.link[link], problem: true, retry: true }
  }
  if (view.missing) return { part: 'message', text: locale.missing }
  if (view.connection === null) return null
  return (
    commandMessage(view, link, { command, locale }) ??
    (link === 'stale' || link === 'offline'
      ? { part: 'message', text: locale.link[link] }
      : rowMessage(view.connection, situation))
  )
}

/** The feed will not come back by itself. */
export function isTerminal(link: LinkState): link is Terminal {
  return (
    link === 'unauthorized' ||
    link === 'forbidden' ||
    link === 'incompatible' ||
    link === 'unavailable'
  )
}

function commandMessage(
  { pending }: ConnectionView,
  link: LinkState | null,
  { command, locale }: { command: CommandState; locale: Locale },
): Message | null {
  if (command.kind === 'failed') {
    return { part: 'message', text: failureText(locale, command.code), problem: true }
  }
  if (pending === null) return null
  if (link !== 'live') return { part: 'message', text: locale.outcomeUnknown }
  const text = pending.phase === 'overdue' ? locale.noConfirmation : locale.requestSent
  return { part: 'message', text }
}

function rowMessage(row: Connection, { language, now }: Situation): Message | null {
  const reason = reasonText(row, language.locale)
  if (reason !== null) return { part: 'reason', text: reason, detail: row.detail }
  if (row.device === 'unknown') return null
  const parts = [language.locale.device[row.device]]
  const last = row.lastMessageAt === null ? null : ago(language, Date.parse(row.lastMessageAt), now)
  if (last) parts.push(language.locale.lastMessage(last.text))
  return { part: 'reason', text: parts.join(' · '), staysMs: last?.staysMs ?? null }
}

/** Why the connection is as it is; a healthy one needs no reason. */
function reasonText(row: Connection, locale: Locale): string | null {
  if (row.reason === null) return null
  if (row.status === 'connected' && row.reason !== 'subscription_denied') return null
  // A newer server may know reasons that we don't: its code is better than silence.
  const text = known(locale.reason, row.reason) ?? row.reason
  return row.reason === 'command' && row.desiredBy ? `${text} ${locale.by(row.desiredBy)}` : text
}

export function failureText(locale: Locale, code: string): string {
  return known<FailureCode>(locale.failure, code) ?? locale.failure.internal
}

function known<K extends string>(texts: Readonly<Record<K, string>>, key: string): string | null {
  return Object.hasOwn(texts, key) ? texts[key as K] : null
}
