/**
 * Looks host names up for all dials and checks of settings in this process: in the hosts file, then at the name servers, and
 * last through the operating system, which knows other sources, too.
 *
 * Sites take turns, and each site has a part of the lookups at most, so unanswered names delay only the site that
 * dials them. Node runs lookups of the operating system in four threads, which files and encryption use as well, and
 * can't cancel them: the resolver uses two threads at most, and one for each site.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { within } from '../model/deadline.ts'
import { HostsFile } from './hosts-file.ts'
import { LookupTurns, outOfTurn } from './lookup-turns.ts'
import type { Address, Asked, Asker } from './lookup-turns.ts'
import { askNameServers, codeOf, silence } from './name-servers.ts'

export type { Address, Asker } from './lookup-turns.ts'

export type Lookup = (host: string) => Promise<readonly Address[]>

export interface ResolverOptions {
  /** Addresses of name servers, with a port if it is not 53. @default those of this machine */
  readonly servers?: readonly string[]
  /** @default the one of this machine */
  readonly hostsFile?: string
  /** Looks a name up through the operating system. */
  readonly system?: Lookup
  /** Replaces all sources. */
  readonly lookup?: Lookup
}

const AT_NAME_SERVERS = { places: 64, perParty: 16 }
const IN_THREADS = { places: 2, perParty: 1 }
/** A lookup of the operating system times out after this time, but holds its thread until it has ended. */
const SYSTEM_MS = 5_000
/** Codes after which the resolver asks the operating system, because another source may know the name. */
const UNKNOWN_THERE: ReadonlySet<unknown> = new Set([
  'ENOTFOUND',
  'ENODATA',
  'EBADNAME',
  'ECONNREFUSED',
])

export class Resolver {
  readonly #hosts: HostsFile | null
  readonly #nameServers: LookupTurns
  readonly #system: LookupTurns | null

  constructor({ servers, hostsFile, system = systemOf, lookup }: ResolverOptions = {}) {
    const ask = lookup ?? ((host: string) => askNameServers(host, servers ?? null))
    this.#nameServers = new LookupTurns(AT_NAME_SERVERS, (host) => wholly(ask(host)))
    const isReplaced = lookup !== undefined
    this.#hosts = isReplaced ? null : new HostsFile(hostsFile)
    this.#system = isReplaced
      ? null
      : new LookupTurns(IN_THREADS, (host) => unlessLate(system(host), SYSTEM_MS))
  }

  /** Whether no lookup is under way and none waits. */
  get isIdle(): boolean {
    return this.#nameServers.isIdle && this.#system?.isIdle !== false
  }

  /** @throws the error of a source, or `EAI_AGAIN` if none has answered in time or the signal ended the wait */
  resolve(host: string, asker: Asker): Promise<readonly Address[]> {
    return unlessAborted(this.#resolve(host, asker), asker.signal)
  }

  async #resolve(host: string, asker: Asker): Promise<readonly Address[]> {
    const known = (await this.#hosts?.addressesOf(host)) ?? []
    if (known.length > 0)
      return known.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
    try {
      return await this.#nameServers.lookup(host, asker)
    } catch (error) {
      if (this.#system === null || !UNKNOWN_THERE.has(codeOf(error))) throw error
    }
    return this.#system.lookup(host, asker)
  }
}

function systemOf(host: string): Promise<readonly Address[]> {
  return systemLookup(host, { all: true })
}

function wholly(answer: Promise<readonly Address[]>): Asked {
  return { answer, over: endOf(answer) }
}

function unlessLate(work: Promise<readonly Address[]>, ms: number): Asked {
  const answer = within(ms, work, () => {
    throw silence()
  })
  return { answer, over: endOf(work) }
}

async function endOf(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work])
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(outOfTurn())
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
