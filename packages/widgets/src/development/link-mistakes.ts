/** Explains to developers why a page gets no rows from its server. */
import type { Inspected } from '../elements/base/element.ts'

/** Three sentences: what is wrong, why, and what to do. */
export interface Mistake {
  readonly what: string
  readonly why: string
  readonly fix: string
}

/** The mistake behind the link's state, if a developer can correct it. */
export function linkMistake({ link, src }: Inspected): Mistake | undefined {
  if (!link || src === null) return undefined
  const { state, cause } = link
  if (state === 'forbidden') return forbidden(src)
  return cause === null ? undefined : CAUSES[cause]?.(src)
}

type Cause = NonNullable<NonNullable<Inspected['link']>['cause']>

const CAUSES: Readonly<Partial<Record<Cause, (src: string) => Mistake>>> = {
  unreachable,
  blocked,
  tokenless,
  refused,
  token_source: sourceless,
  misunderstood,
}

function unreachable(src: string): Mistake {
  const { origin } = new URL(src)
  return {
    what: `The server ${src} can’t be reached.`,
    why: 'It is down or restarting, src names another one, or the page’s Content-Security-Policy forbids requests to it.',
    fix: `Open ${src}healthz in a browser; with a policy, allow both ${origin} and ${origin.replace('http', 'ws')} in connect-src. The client retries.`,
  }
}

function blocked(src: string): Mistake {
  return {
    what: `The server ${src} answers, but no live updates get through.`,
    why: 'A proxy between the page and the server refuses WebSockets, buffers streams, and blocks requests of api/v1.',
    fix: 'Let the reverse proxy pass upgrades, and streams without buffering: see docs/reverse-proxies.md.',
  }
}

function refused(src: string): Mistake {
  return {
    what: `The server ${src} does not accept the token of this page.`,
    why: 'It is signed with another key, has ended, is valid for longer than AUTH_MAX_TTL, its exp counts milliseconds, or a claim has the wrong type, such as sites: [7].',
    fix: 'Send it with GET api/v1/connections: the answer and the server’s log name the fault.',
  }
}

function sourceless(): Mistake {
  return {
    what: 'The page gets no token.',
    why: 'token-src or getToken fails, takes longer than 10 s, or gives no token; the console has the error.',
    fix: 'Let token-src answer {"token": "…", "expiresIn": 600}, or 401 where the visitor is not signed in. The client retries.',
  }
}

function misunderstood(src: string): Mistake {
  return {
    what: `The server ${src} and this page can’t read each other’s messages.`,
    why: 'A library of the page changes JSON (Array.prototype.toJSON), or a proxy changes messages.',
    fix: 'Update or remove that library.',
  }
}

function tokenless(src: string): Mistake {
  return {
    what: `The server ${src} asks for a token, and none is set.`,
    why: 'Neither token-src, token nor getToken is set for this server.',
    fix: 'Set token-src="/…" on <mqtt-status-provider> (data-token-src on the script tag), or getToken on the provider, to an address of your own that answers {"token": "…", "expiresIn": 600}.',
  }
}

function forbidden(src: string): Mistake {
  return {
    what: `The server ${src} refuses this page.`,
    why: `The page’s origin ${location.origin} is not among the allowed ones, or the server has no key to check tokens with, and its address is neither 127.0.0.1 nor localhost.`,
    fix: `Add ${location.origin} to ALLOWED_ORIGINS of the server; for another name than localhost set its AUTH_JWT_SECRET.`,
  }
}
