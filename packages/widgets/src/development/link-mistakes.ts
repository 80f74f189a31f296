/** Why a page gets nothing from its server, for whoever has set both up. */
import type { Inspected } from '../elements/element.ts'

/** Three sentences: what is wrong, why, and what to do. */
export interface Mistake {
  readonly what: string
  readonly why: string
  readonly fix: string
}

/** What a developer can do about the line; the rest is the matter of whoever uses the page. */
export function linkMistake({ link, src }: Inspected): Mistake | undefined {
  if (!link || src === null) return undefined
  const { state, cause } = link
  if (cause === 'unreachable') return unreachable(src)
  if (cause === 'tokenless') return tokenless(src)
  return state === 'forbidden' ? forbidden(src) : undefined
}

function unreachable(src: string): Mistake {
  const { origin } = new URL(src)
  return {
    what: `The server ${src} can’t be reached.`,
    why: 'It is down, src names another one, the page’s Content-Security-Policy forbids the way to it, or no token could be had.',
    fix: `Open ${src}healthz in a browser; with a policy, allow both ${origin} and ${origin.replace('http', 'ws')} in connect-src. It is tried again by itself.`,
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
    why: `The page’s origin ${location.origin} is not among the allowed ones, or the server has no token to check and is not asked as 127.0.0.1 or localhost.`,
    fix: `Add ${location.origin} to ALLOWED_ORIGINS of the server; for another name than localhost set its AUTH_JWT_SECRET.`,
  }
}
