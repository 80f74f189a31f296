/** What a subscriber may see, as far as the hub has to know. */
export interface HubScope {
  /** Equal for equal views: watches with the same key share their frames, cursors carry it. */
  readonly key: string
  /** Whether rows keep `detail` and `desiredBy`. */
  readonly control: boolean
  permits(id: string, siteId: string): boolean
}
