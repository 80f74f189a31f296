/** Chooses the one line of explanation below the status: the most important fact about link, command or row, in words. */
import type { Connection } from '@mqtt-status/protocol'
import type { Link, Refusal } from '../../client/index.ts'
import { blockedBy } from '../../controllers/link.ts'
import type { FailureCode } from '../../locales/locale.ts'
import type { Language } from '../../locales/registry.ts'
import { countdown, dated } from '../../locales/time.ts'
import type { TimedText } from '../../locales/time.ts'
import type { SceneInput } from './input.ts'

export interface Message {
  /** `reason` explains the MQTT connection, `message` the feed or a command. */
  readonly part: 'reason' | 'message'
  readonly text: string
  readonly problem?: boolean
  readonly retry?: boolean
  /** The broker's own text, which the button "Details" opens. */
  readonly detail?: string | null
  /** The text is out of date after so many ms; `null` = it does not depend on time. */
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
  const given = commandMessage(input)
  // While the link is down the row keeps its last reason: the clock icon and "as of" mark it as stale, and
  // <mqtt-status-live> shows the cause. The reason replaces a failed command, whose wait can't be counted down then.
  if (link !== 'live' && given?.problem) return rowMessage(view.connection, input)
  return given ?? rowMessage(view.connection, input)
}

/**
 * Why there is no row. A missing setting is a mistake of the page and is marked as a problem. A deleted connection, and a
 * site with a second one, are not.
 */
function troubleMessage({ several, language }: SceneInput, trouble: string | null): Message | null {
  const { locale } = language
  if (trouble === 'ambiguous') return { part: 'message', text: locale.several(several) }
  if (trouble === 'missing') return { part: 'message', text: locale.missing }
  if (trouble === 'unnamed' || trouble === 'unconfigured' || trouble === 'malformed')
    return { part: 'message', text: locale[trouble], problem: true }
  return null
}

/** What blocks the feed, and when the client tries again, if that takes longer than `COUNTED_MS`. */
function blockedMessage(link: Link, input: SceneInput): Message | null {
  const { locale } = input.language
  const name = blockedBy(link)
  if (name === null) return null
  const problem = link.state !== 'connecting'
  return { part: 'message', problem, retry: true, ...untilNextTry(locale.link[name], link, input) }
}

/** The link is live, but the server refuses this connection or site. */
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

/** A viewer would not finish reading a countdown of a shorter wait. */
const COUNTED_MS = 30_000

function commandMessage({ view, link, command, language }: SceneInput): Message | null {
  const { locale } = language
  if (command.kind === 'failed') {
    const { code, retryAt } = command
    const given = failureText(language, code, retryAt === null ? 0 : retryAt - Date.now())
    return { part: 'message', problem: true, ...given }
  }
  if (view.pending === null) return null
  if (link?.state !== 'live') return { part: 'message', text: locale.outcomeUnknown }
  const overdue = view.pending.phase === 'overdue'
  return { part: 'message', text: overdue ? locale.noConfirmation : locale.requestSent }
}

function rowMessage(row: Connection, input: SceneInput): Message | null {
  const given = reasonOf(row, input)
  return given && { part: 'reason', ...given, detail: row.detail }
}

interface Reading {
  readonly language: Language
  readonly now: number
}

/** The reason of the row, or else that its device is offline. A card shows the two in different lines. */
export function problemText(row: Connection, reading: Reading): string | null {
  const device = row.device === 'offline' ? reading.language.locale.device.offline : null
  return reasonOf(row, reading)?.text ?? device
}

function reasonOf(row: Connection, { language, now }: Reading): TimedText | null {
  const { locale } = language
  const { status, reason, desired, desiredBy, desiredAt } = row
  // The server sends `desiredBy` only to clients with the capability `control`.
  const desiredMs = Date.parse(desiredAt ?? '')
  if (status === 'disconnected' && desired === 'disconnected' && desiredBy && desiredMs) {
    const { text, staysMs } = dated(language, desiredMs, now)
    return { text: locale.disconnectedBy(desiredBy, text), staysMs }
  }
  if (reason === null || (status === 'connected' && reason !== 'subscription_denied')) return null
  // A newer server may send a reason that this version has no words for: the element shows its code.
  return { text: known(locale.reason, reason) ?? reason, staysMs: null }
}

/** @param waitMs for how long the server refuses other commands; the text counts it down */
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
