/** Who is at the door: origin and host, then the token. Every request and every socket passes here. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Admission, CallerRules } from '../auth/origins.ts'
import type { Scope } from '../auth/scope.ts'
import type { Verify } from '../auth/tokens.ts'
export declare function admissionOf(
  rules: CallerRules,
  { origin, host }: IncomingHttpHeaders,
): Admission
/** @throws StatusError where the page or the name is not allowed */
export declare function refuseStrangers(admission: Admission): void
/** What the token permits, as far as the page that shows it may use it. */
export declare function scopeFor(
  verify: Verify,
  admission: Admission,
  token: string | null,
): Promise<Scope>
/** The token of an `Authorization: Bearer` header (RFC 6750, 2.1). */
export declare function bearer(header: string | undefined): string | null
/** For pages of other origins: an allowed one is named, never "*", because answers depend on the token. */
export declare function corsHeaders(
  admission: Admission,
  origin: string | undefined,
): Record<string, string>
