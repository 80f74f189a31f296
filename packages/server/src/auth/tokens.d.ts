import type { Capability } from '@mqtt-status/protocol'
import type { Scope } from './scope.ts'
/** Turns a token into what it permits. Throws a StatusError `unauthorized` with the reason in words. */
export type Verify = (token: string | null) => Promise<Scope>
export type TokenSettings =
  | {
      readonly kind: 'open'
    }
  | {
      readonly kind: 'secret'
      readonly secret: string
      readonly issuer?: string
      readonly audience?: string
    }
export declare function createVerify(settings: TokenSettings): Verify
export interface TokenRequest {
  readonly subject: string
  readonly sites: '*' | readonly string[]
  readonly connections: '*' | readonly string[]
  readonly can: readonly Capability[]
  readonly lifetimeS: number
}
/** Signs a token, for trying out and for portals that are written in something else. */
export declare function mintToken(
  settings: Extract<
    TokenSettings,
    {
      kind: 'secret'
    }
  >,
  { subject, sites, connections, can, lifetimeS }: TokenRequest,
): Promise<string>
