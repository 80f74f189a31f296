/**
 * Asks the name servers of this machine, or others, over the network and without a thread, so that a name server that is
 * silent delays no other lookup, no file and no encryption.
 */
import { Resolver } from 'node:dns/promises'
import { within } from '../model/deadline.ts'
import type { Address } from './lookup-turns.ts'

/** Of one try; the second one waits twice as long. */
const TRY_MS = 1_500
const TRIES = 2
/** For all name servers together, because several can be silent one after the other. */
const DEADLINE_MS = 5_000
/** Once one family of addresses is known, the other one is waited for only so long. */
const SECOND_FAMILY_MS = 300

const FAMILIES = [4, 6] as const
/** Codes for a name that has no address of one family, or of neither. */
const NO_ADDRESS: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

/**
 * All addresses of a name, of both families.
 *
 * @param servers `null`: those of this machine, read anew for each lookup
 * @throws what the name servers say, or `EAI_AGAIN` after 5 s without an answer
 */
export async function askNameServers(
  host: string,
  servers: readonly string[] | null,
): Promise<readonly Address[]> {
  // Of its own for each lookup: only all of what a resolver does can be ended together.
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  if (servers !== null) resolver.setServers(servers)
  const deadline = setTimeout(() => {
    resolver.cancel()
  }, DEADLINE_MS)
  const found: Address[] = []
  const errors: unknown[] = []
  const asked = FAMILIES.map(async (family) => {
    try {
      const all = await (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host))
      found.push(...all.map((address) => ({ address, family })))
    } catch (error) {
      errors.push(error)
    }
  })
  await Promise.race(asked)
  const both = Promise.all(asked)
  await (found.length > 0 ? within(SECOND_FAMILY_MS, both, () => undefined) : both)
  clearTimeout(deadline)
  if (found.length > 0) {
    resolver.cancel()
    return [...found]
  }
  // That one family has no address is only final where the other one has none either.
  throw (
    errors.find((error) => !NO_ADDRESS.has(codeOf(error)) && !isSilence(error)) ??
    (errors.some(isSilence) ? silence() : errors[0])
  )
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null
}

function isSilence(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ECANCELLED' || code === 'ETIMEOUT'
}

/** Nothing has answered in time. */
export function silence(): Error {
  return Object.assign(new Error('the name servers do not answer'), { code: 'EAI_AGAIN' })
}
