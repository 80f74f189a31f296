/** The one line of explanation below the status: what matters most to whoever looks, in words. */
import type { Connection } from '@mqtt-status/protocol'
import type { Link, Refusal } from '../../client/index.ts'
import { blockedBy } from '../../controllers/link.ts'
import type { FailureCode } from '../../locales/locale.ts'
import type { Language } from '../../locales/registry.ts'
import { countdown, dated } from '../../locales/time.ts'
import type { TimedText } from '../../locales/time.ts'
import type { SceneInput } from './input.ts'

export interface Message {
  /** `reason` speaks of the MQTT connection, `message` of the way to it. */
  readonly part: 'reason' | 'message'
  readonly text: string
  readonly problem?: boolean
  readonly retry?: boolean
  /** Text of the broker, behind "Details". */
  readonly detail?: string | null
  /** After how long it reads otherwise, in ms. */
  readonly staysMs?: number | null
}

export function explain(input: SceneInput, trouble: string | null): Message | null {
  const { view } = input
  const link = input.link?.state ?? null
  const blocked = input.link && blockedMessage(input.link, input)
  if (blocked) return blocked
  if (view.connection === null) {
    return view.refusal && trouble === view.refusal.code
      ? refusedMessage(view.refusal, input)
      : troubleMessage(input, trouble)
  }
  const told = commandMessage(input)
  // While the link is down the row keeps its last reason: the clock and "as of" mark it as old, and <mqtt-status-live>
  // says why. A failed command gives way to it, because its wait can't be counted down.
  if (link !== 'live' && told?.problem) return rowMessage(view.connection, input)
  return told ?? rowMessage(view.connection, input)
}

/**
 * Why there is no row. What the page's developer has left out is a problem; a connection that is gone, or a site that has
 * got a second one, may be as it is.
 */
function troubleMessage({ several, language }: SceneInput, trouble: string | null): Message | null {
  const { locale } = language
  if (trouble === 'ambiguous') return { part: 'message', text: locale.several(several) }
  if (trouble === 'missing') return { part: 'message', text: locale.missing }
  if (trouble === 'unnamed' || trouble === 'unconfigured' || trouble === 'malformed')
    return { part: 'message', text: locale[trouble], problem: true }
  return null
}

/** What keeps the feed from coming, and when the next attempt is made, unless that is a matter of seconds. */
function blockedMessage(link: Link, input: SceneInput): Message | null {
  const { locale } = input.language
  const name = blockedBy(link)
  if (name === null) return null
  const problem = link.state !== 'connecting'
  return { part: 'message', problem, retry: true, ...untilNextTry(locale.link[name], link, input) }
}

/** The page is live, but the server does not tell of this connection or site. */
function refusedMessage(refusal: Refusal, input: SceneInput): Message {
  const text = input.language.locale.failure[refusal.code]
  return { part: 'message', problem: true, ...untilNextTry(text, refusal, input) }
}

function untilNextTry(
  text: string,
  { retryAt }: Pick<Link, 'retryAt'>,
  { language, now }: SceneInput,
): TimedText {
  const waitMs = (retryAt ?? 0) - now
  if (waitMs < COUNTED_MS) return { text, staysMs: null }
  const wait = countdown(language, waitMs)
  return { text: `${text} (${language.locale.nextTry(wait.text)})`, staysMs: wait.staysMs }
}

/** Shorter waits are over before they are read. */
const COUNTED_MS = 30_000

function commandMessage({ view, link, command, language }: SceneInput): Message | null {
  const { locale } = language
  if (command.kind === 'failed') {
    const { code, retryAt } = command
    const told = failureText(language, code, retryAt === null ? 0 : retryAt - Date.now())
    return { part: 'message', problem: true, ...told }
  }
  if (view.pending === null) return null
  if (link?.state !== 'live') return { part: 'message', text: locale.outcomeUnknown }
  const overdue = view.pending.phase === 'overdue'
  return { part: 'message', text: overdue ? locale.noConfirmation : locale.requestSent }
}

function rowMessage(row: Connection, input: SceneInput): Message | null {
  const told = reasonOf(row, input)
  return told && { part: 'reason', ...told, detail: row.detail }
}

interface Reading {
  readonly language: Language
  readonly now: number
}

/** Why the connection is as it is, or that its device is offline: what a card says in two places. */
export function problemText(row: Connection, reading: Reading): string | null {
  const device = row.device === 'offline' ? reading.language.locale.device.offline : null
  return reasonOf(row, reading)?.text ?? device
}

function reasonOf(row: Connection, { language, now }: Reading): TimedText | null {
  const { locale } = language
  const { status, reason, desired, desiredBy, desiredAt } = row
  // Only those who may give commands are told who gave the last one.
  const desiredMs = Date.parse(desiredAt ?? '')
  if (status === 'disconnected' && desired === 'disconnected' && desiredBy && desiredMs) {
    const { text, staysMs } = dated(language, desiredMs, now)
    return { text: locale.disconnectedBy(desiredBy, text), staysMs }
  }
  if (reason === null || (status === 'connected' && reason !== 'subscription_denied')) return null
  // A newer server may know reasons that we don't: its code is better than silence.
  return { text: known(locale.reason, reason) ?? reason, staysMs: null }
}

/** @param waitMs for how long the server takes no other command; counted down in text */
export function failureText(language: Language, code: string, waitMs: number = 0): TimedText {
  const { locale } = language
  const { failure } = locale
  if (waitMs <= 0)
    return { text: known<FailureCode>(failure, code) ?? failure.internal, staysMs: null }
  const { text, staysMs } = countdown(language, waitMs)
  return { text: locale.wait(text), staysMs }
}

function known<K extends string>(texts: Readonly<Record<K, string>>, key: string): string | null {
  return Object.hasOwn(texts, key) ? texts[key as K] : null
}
