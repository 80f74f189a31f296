import type { Word } from '../../attributes/words.ts'
import type { ConnectionView, Link } from '../../client/index.ts'
import type { Serverless } from '../../controllers/client.ts'
import type { CommandState } from '../../controllers/command.ts'
import type { Language } from '../../locales/registry.ts'

/** From what a scene is composed: row, link, command, language and time at one moment. */
export interface SceneInput {
  readonly view: ConnectionView
  readonly link: Link | null
  /** How many connections the site has, if more than one; otherwise 0. */
  readonly several: number
  readonly command: CommandState
  readonly language: Language
  readonly time: Word<'time'>
  /** The element has neither `connection-id` nor `site-id`. */
  readonly unnamed: boolean
  /** Why the element has no server; `null` = it has one, or waits for a provider. */
  readonly serverless: Serverless | null
  /** The server's time, in ms since the epoch. */
  readonly now: number
  /** Whether the tooltip with the full date is needed. */
  readonly exact: boolean
}
