import type { Capability } from '@mqtt-status/protocol'
/** What somebody may see and do; every subscriber and every request has one. */
export interface Scope {
  /** Who it is; `null` where nobody has to say. */
  readonly subject: string | null
  readonly can: readonly Capability[]
  /** Equal for equal views: two tokens that may see the same have the same key, and share frames. */
  readonly key: string
  /** Holders of `control` also see the broker's text and who gave a command. */
  readonly control: boolean
  /** When it ends, in ms since the epoch; `null` = never. */
  readonly expiresAt: number | null
  permits(id: string, siteId: string): boolean
}
/** The ids that are meant; `*` = any. */
export type Names = '*' | ReadonlySet<string>
export interface Grant {
  readonly subject: string | null
  readonly sites: Names
  readonly connections: Names
  readonly can: readonly Capability[]
  readonly expiresAt: number | null
}
export declare function createScope({ subject, sites, connections, can, expiresAt }: Grant): Scope
/** The scope of open mode: whoever reaches the port may do everything. */
export declare const OPEN: Scope
/** The same rows, but only to look at. */
export declare function viewOnly(scope: Scope): Scope
