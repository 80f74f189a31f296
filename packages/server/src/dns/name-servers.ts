/**
 * Asks the name servers of this machine, or others, over the network and without a thread, so that a name server that is
 * silent delays no other lookup, no file and no encryption.
 */
import { Resolver } from 'node:dns/promises'
import { within } from '../model/deadline.ts'
import type { Address } from './lookup-turns.ts'

/** The time-out of the first try; that of the second one is twice as long. */
const TRY_MS = 1_500
const TRIES = 2
/** The time-out of a lookup at all name servers, because several of them can be silent one after the other. */
const DEADLINE_MS = 5_000
/** When one family of addresses has arrived, the lookup waits this long for the other one. */
const SECOND_FAMILY_MS = 300

const FAMILIES = [4, 6] as const
/** Codes for a name that has no address of one family, or of neither. */
const NO_ADDRESS: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

/**
 * Looks up all addresses of a name, of both families.
 *
 * @param servers `null`: the name servers of this machine, read for each lookup
 * @throws the error of the name servers, or `EAI_AGAIN` after 5 s without an answer
 */
export async function askNameServers(
  host: string,
  servers: readonly string[] | null,
): Promise<readonly Address[]> {
  // Each lookup has a resolver of its own, because `cancel` ends all lookups of a resolver.
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
  // The name does not exist only if neither family has an address.
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

/** The failure of a lookup without an answer in time. */
export function silence(): Error {
  return Object.assign(new Error('the name servers do not answer'), { code: 'EAI_AGAIN' })
}
