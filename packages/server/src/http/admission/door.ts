/** Checks of each request and each socket: the head, the origin and the host, then the token. */
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

/** The result for a request: a malformed head, a page or a host that is not allowed is refused. */
export type Verdict =
  Admission | { readonly kind: 'refused'; readonly code: 'bad_request'; readonly why: string }

export function admissionOf(rules: CallerRules, request: IncomingMessage): Verdict {
  const { origin, host } = request.headers
  const why = hostFault(request)
  if (why !== null) return { kind: 'refused', code: 'bad_request', why }
  const admission = admit(rules, { origin, host })
  if (admission.kind === 'refused') rules.onRefused?.(admission.code, { origin, host })
  return admission
}

/** @throws StatusError if the request is refused */
export function requireAdmission(verdict: Verdict): void {
  if (verdict.kind !== 'refused') return
  throw new StatusError(
    verdict.code,
    verdict.code === 'bad_request' ? verdict.why : WHY[verdict.code],
  )
}

/** @returns the scope of the token; view only, if that is all that the origin of the page allows */
export async function scopeFor(
  verify: Verify,
  admission: Verdict,
  token: string | null,
): Promise<Scope> {
  const scope = await verify(token)
  return admission.kind === 'view' ? viewOnly(scope) : scope
}

/** The token of an `Authorization: Bearer` header (RFC 6750, 2.1). */
export function bearer(header: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null
}

/** CORS headers for the page. They name its origin and never "*", because replies depend on the token. */
export function corsHeaders(
  admission: Verdict,
  origin: string | undefined,
): Record<string, string> {
  if (origin === undefined || admission.kind === 'refused') return { vary: 'Origin' }
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Retry-After',
  }
}
