/** What the doors need of whoever manages connections. */

/** Who edits, and what. */
export interface Editor {
  /** For the audit; `null` where nobody has to say. */
  readonly actor: string | null
  /** Whether everything may be seen, whatever its site. */
  readonly everywhere: boolean
  readonly permits: (id: string, siteId: string) => boolean
}

export interface Check {
  readonly ok: boolean
  /** A code of the reasons; `null` if it is ok. */
  readonly reason: string | null
  readonly tookMs: number
}

export interface Probe extends Check {
  readonly detail: string | null
}

/** The settings of a connection, without secrets. */
export interface ManagedSettings {
  readonly id: string
}

export interface AuditQuery {
  readonly sites: '*' | ReadonlySet<string>
  readonly connections: '*' | ReadonlySet<string>
  readonly connectionId?: string
  readonly before?: number
  readonly limit: number
}

/** Bodies are passed on as they came; all that is wrong with one is said at once, as StatusError `validation`. */
export interface Management {
  settings(editor: Editor, id: string): Promise<ManagedSettings>
  create(editor: Editor, body: unknown): Promise<ManagedSettings>
  change(editor: Editor, id: string, body: unknown): Promise<ManagedSettings>
  remove(editor: Editor, id: string): Promise<void>
  /** Dials once, stores nothing. */
  test(editor: Editor, body: unknown): Promise<Probe>
  /** The newest first. */
  audit(query: AuditQuery): Promise<readonly { readonly id: number }[]>
}
