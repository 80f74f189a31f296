import type { Action, Look, ProblemCode, Reason } from '@mqtt-status/protocol'

/** The health of the feed, by its state or, where there is one, by its cause (`link.cause`). The text of `connecting` is `loading`. */
export type NamedLink =
  | 'live'
  | 'stale'
  | 'offline'
  | 'unauthorized'
  | 'forbidden'
  | 'incompatible'
  | 'unavailable'
  // Causes.
  | 'unreachable'
  | 'blocked'
  | 'tokenless'
  | 'signed_out'
  | 'refused'
  | 'token_source'
  | 'too_many'
  | 'too_fast'
  | 'misunderstood'
  | 'server_error'
  | 'restarting'

/** A word that follows a number: one form, or one for each plural category of the language. */
export type Counted =
  string | (Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string })

/** Why a command did not succeed: a code of the server, or `unreachable` when no answer came. */
export type FailureCode = ProblemCode | 'unreachable'

/** The words for one action. */
export interface ActionWords {
  /** On the button. */
  readonly label: string
  /** On the button while the command runs. */
  readonly busy: string
  /** The question before the command is sent. */
  readonly ask: string
  /** Announced when the command has succeeded. */
  readonly done: string
}

/** The units of durations. */
export type Unit = 'second' | 'minute' | 'hour' | 'day'

/** All texts of the elements in one language. */
export interface Locale {
  /** BCP 47 code, for example `it`; regional variants fall back to it. */
  readonly code: string
  /** The status word. */
  readonly look: Readonly<Record<Look, string>>
  /** After a number, for many changes at once: `3 connected, 2 lost`. */
  readonly counted: Readonly<Record<Look, Counted>>
  readonly reason: Readonly<Record<Reason, string>>
  readonly link: Readonly<Record<NamedLink, string>>
  readonly device: Readonly<Record<'online' | 'offline' | 'stale', string>>
  readonly action: Readonly<Record<Action, ActionWords>>
  /** Instead of the words for `disconnect` where no connection is up and the server keeps trying. */
  readonly stop: Pick<ActionWords, 'label' | 'ask'>
  readonly failure: Readonly<Record<FailureCode, string>>
  /** After a number: `3 min`. */
  readonly unit: Readonly<Record<Unit, Counted>>
  readonly loading: string
  readonly missing: string
  /** No address of a server is configured anywhere. */
  readonly unconfigured: string
  /** The value of `src` is no address. */
  readonly malformed: string
  /** Neither `connection-id` nor `site-id` is set. */
  readonly unnamed: string
  readonly retry: string
  readonly retryNow: string
  readonly details: string
  readonly copy: string
  readonly copied: string
  /** The browser has no clipboard for this page. */
  readonly notCopied: string
  readonly yes: string
  readonly no: string
  /** Less than ten seconds ago. */
  readonly now: string
  readonly requestSent: string
  readonly noConfirmation: string
  readonly outcomeUnknown: string
  /** The description of a button that is shown although the viewer may not use it. */
  readonly viewOnly: string
  readonly notControllable: string
  /** The description of a button whose action would change nothing. */
  readonly alreadyOn: string
  readonly alreadyOff: string
  /** For how long a state has lasted: `for 3 min`. */
  lasting(duration: string): string
  /** How long ago something happened: `3 min ago`. */
  ago(duration: string): string
  /** When the shown state was known to be true: `as of 14:32`, `as of yesterday 14:32`. */
  asOf(time: string): string
  /** Who took the connection down, and when: `Disconnected by anna, yesterday 18:02`. */
  disconnectedBy(subject: string, when: string): string
  lastMessage(ago: string): string
  /** How long the server refuses commands: `Wait 8 sec`. */
  wait(duration: string): string
  /** When the client makes the next attempt: `next try in 8 s`. */
  nextTry(duration: string): string
  /** The element names a site with more than one connection. */
  several(count: number): string
  /** Announced when many connections have changed at once; `counts` are joined {@link Locale.counted} words. */
  changes(count: number, counts: string): string
}
