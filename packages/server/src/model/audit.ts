/** The audit: which caller sent which command or edit, and when. It has the names of the fields, never their values. */

export interface AuditEntry {
  /** Rises with every entry. */
  readonly id: number
  readonly connectionId: string
  /** The site of the connection at that time; `null` in entries of former versions. */
  readonly siteId: string | null
  readonly action: string
  /** The subject of the caller; `null` where the server knows none. */
  readonly actor: string | null
  readonly at: string
  readonly generation: number
  /** The fields that an edit has set. */
  readonly fields: readonly string[]
}

/** These names; `*` = all. */
type Names = '*' | ReadonlySet<string>

export interface AuditQuery {
  /** The caller sees entries of these sites and of these connections. */
  readonly sites: Names
  readonly connections: Names
  /** Only entries of this connection. */
  readonly connectionId?: string
  /** Only entries with lower ids; without it the newest. */
  readonly before?: number
  readonly limit: number
}
