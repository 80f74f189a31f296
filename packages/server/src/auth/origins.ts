/**
 * Admits callers by origin. A browser sends the origin of the page (`Origin`) and the name that it has requested (`Host`). The
 * server compares both headers as they arrive, and never rebuilds them from a URL.
 */

export interface CallerRules {
  /** No authentication is configured. */
  readonly open: boolean
  readonly allowedOrigins: readonly string[] | '*'
  /** Called for each refused caller. @default nothing */
  readonly onRefused?: OnRefused
}

export type RefusalCode = 'origin_not_allowed' | 'host_not_allowed'
export type OnRefused = (code: RefusalCode, caller: Caller) => void

export interface Caller {
  /** The `Origin` header; programs other than browsers send none. */
  readonly origin: string | undefined
  readonly host: string | undefined
}

export type Admission =
  | { readonly kind: 'full' }
  /** The caller may view rows, but send no command. */
  | { readonly kind: 'view' }
  | { readonly kind: 'refused'; readonly code: RefusalCode }

const FULL: Admission = { kind: 'full' }

export function admit({ open, allowedOrigins }: CallerRules, { origin, host }: Caller): Admission {
  // A foreign page reaches this server by a name of its own that resolves to loopback (DNS rebinding).
  if (open && !isLoopbackName(hostnameOf(`http://${host ?? ''}`))) {
    return { kind: 'refused', code: 'host_not_allowed' }
  }
  if (origin === undefined || allowedOrigins === '*') return FULL
  if (allowedOrigins.includes(origin.toLowerCase()) || isOwn(origin, host)) return FULL
  if (!open) return { kind: 'refused', code: 'origin_not_allowed' }
  return isLoopbackName(hostnameOf(origin)) ? FULL : { kind: 'view' }
}

/** Whether this server has delivered the page. */
function isOwn(origin: string, host: string | undefined): boolean {
  if (host === undefined || host === '') return false
  const lower = host.toLowerCase()
  return [`http://${lower}`, `https://${lower}`].includes(origin.toLowerCase())
}

/** The host name of an origin; `null` where the text is no plain origin. */
function hostnameOf(origin: string): string | null {
  if (!URL.canParse(origin)) return null
  const url = new URL(origin)
  const plain =
    url.username === '' &&
    url.password === '' &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === ''
  return plain && ['http:', 'https:'].includes(url.protocol) && url.hostname !== ''
    ? url.hostname
    : null
}

function isLoopbackName(name: string | null): boolean {
  if (name === null) return false
  // RFC 6761, 6.3: names below localhost resolve to loopback.
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(name)
  )
}
