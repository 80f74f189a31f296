/** The caller of an edit, as far as an edit depends on it. */
export interface Editor {
  /** The subject that the audit names; `null` where the server knows none. */
  readonly actor: string | null
  /** Whether the caller may see all connections of all sites. */
  readonly everywhere: boolean
  readonly permits: (id: string, siteId: string) => boolean
}
