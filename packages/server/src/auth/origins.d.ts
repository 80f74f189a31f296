/**
 * Who may call from where. A browser says which page asks (`Origin`) and which name it was sent to (`Host`); both are
 * compared as they come, never rebuilt from a URL.
 */
export interface CallerRules {
  /** No authentication is configured. */
  readonly open: boolean
  readonly allowedOrigins: readonly string[] | '*'
}
export interface Caller {
  /** The `Origin` header; absent for whoever is not a browser. */
  readonly origin: string | undefined
  readonly host: string | undefined
}
export type Admission =
  | {
      readonly kind: 'full'
    }
  /** May look, but not command. */
  | {
      readonly kind: 'view'
    }
  | {
      readonly kind: 'refused'
      readonly code: 'origin_not_allowed' | 'host_not_allowed'
    }
export declare function admit(
  { open, allowedOrigins }: CallerRules,
  { origin, host }: Caller,
): Admission
