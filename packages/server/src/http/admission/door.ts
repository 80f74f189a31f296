/** Who is at the door: origin and host, then the token. Every request and every socket passes here. */
import type { IncomingMessage } from 'node:http'
import { admit } from '../../auth/origins.ts'
import type { Admission, CallerRules } from '../../auth/origins.ts'
import { viewOnly } from '../../auth/scope.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Verify } from '../../auth/tokens.ts'
import { StatusError } from '../../errors.ts'
import { hostFault } from './request-head.ts'

const WHY = {
  origin_not_allowed: 'Pages of this origin are not allowed here; add it to ALLOWED_ORIGINS.',
  host_not_allowed:
    'Without authentication this server only answers to loopback names, like http://127.0.0.1 or http://localhost.',
} as const

/** Whether a request is let in: its head has to be well-formed, and its page and its host allowed. */
export type Visit =
  Admission | { readonly kind: 'refused'; readonly code: 'bad_request'; readonly why: string }

export function admissionOf(rules: CallerRules, request: IncomingMessage): Visit {
  const { origin, host } = request.headers
  const why = hostFault(request)
  if (why !== null) return { kind: 'refused', code: 'bad_request', why }
  const admission = admit(rules, { origin, host })
  if (admission.kind === 'refused') rules.onRefused?.(admission.code, { origin, host })
  return admission
}

/** @throws StatusError where the head is malformed, or the page or the name is not allowed */
export function refuseStrangers(visit: Visit): void {
  if (visit.kind !== 'refused') return
  throw new StatusError(visit.code, visit.code === 'bad_request' ? visit.why : WHY[visit.code])
}

/** What the token permits, as far as the page that shows it may use it. */
export async function scopeFor(
  verify: Verify,
  admission: Visit,
  token: string | null,
): Promise<Scope> {
  const scope = await verify(token)
  return admission.kind === 'view' ? viewOnly(scope) : scope
}

/** The token of an `Authorization: Bearer` header (RFC 6750, 2.1). */
export function bearer(header: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null
}

/** For pages of other origins: an allowed one is named, never "*", because answers depend on the token. */
export function corsHeaders(admission: Visit, origin: string | undefined): Record<string, string> {
  if (origin === undefined || admission.kind === 'refused') return { vary: 'Origin' }
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Retry-After',
  }
}
