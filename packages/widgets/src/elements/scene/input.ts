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
  /** Neither a connection nor a site is named. */
  readonly unnamed: boolean
  /** Why there is no server, so that nothing will ever come; otherwise `null`. */
  readonly serverless: Serverless | null
  /** The server's time, in ms since the epoch. */
  readonly now: number
  /** Whether the whole date is wanted. */
  readonly exact: boolean
}
