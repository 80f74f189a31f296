/** The part of a scope that the hub needs. */
export interface HubScope {
  /** Equal for equal views: watches with the same key share their frames, and cursors contain the key. */
  readonly key: string
  /** Whether rows keep `detail` and `desiredBy`. */
  readonly control: boolean
  permits(id: string, siteId: string): boolean
}
