import type { Action, Look, ProblemCode, Reason } from '@mqtt-status/protocol'

/** The states of the feed that have words of their own; `live` needs none. */
export type TroubledLink =
  'stale' | 'offline' | 'unauthorized' | 'forbidden' | 'incompatible' | 'unavailable'

/** Why a command did not succeed: a code of the server, or `unreachable` when no answer came. */
export type FailureCode = ProblemCode | 'unreachable'

/** The words for one action. */
export interface ActionWords {
  /** On the button. */
  readonly label: string
  /** On the button while the command runs. */
  readonly busy: string
  /** Asked before the command is sent. */
  readonly ask: string
  /** Announced when the command has succeeded. */
  readonly done: string
}

/** Everything the elements say, in one language. */
export interface Locale {
  /** BCP 47 code, for example `it`; regional variants fall back to it. */
  readonly code: string
  /** The status word. */
  readonly look: Readonly<Record<Look, string>>
  readonly reason: Readonly<Record<Reason, string>>
  readonly link: Readonly<Record<TroubledLink, string>>
  readonly device: Readonly<Record<'online' | 'offline' | 'stale', string>>
  readonly action: Readonly<Record<Action, ActionWords>>
  readonly failure: Readonly<Record<FailureCode, string>>
  readonly loading: string
  readonly missing: string
  /** No address of a server is configured anywhere. */
  readonly unconfigured: string
  readonly retry: string
  readonly details: string
  readonly yes: string
  readonly no: string
  /** Less than ten seconds ago. */
  readonly now: string
  readonly requestSent: string
  readonly noConfirmation: string
  readonly outcomeUnknown: string
  /** Described on a button that is shown although the viewer may not use it. */
  readonly viewOnly: string
  readonly notControllable: string
  /** For how long a state has lasted: `for 3 min`. */
  lasting(duration: string): string
  /** When the shown state was known to be true: `as of 14:32`. */
  asOf(time: string): string
  /** Whose wish it was. */
  by(subject: string): string
  lastMessage(ago: string): string
}
