/** A watch as a list of names. The client counts and sends names one by one, and the server refuses them one by one. */
import type { WatchFilter } from '@mqtt-status/protocol'
import { toJson } from './json.ts'

export type Kind = 'connections' | 'sites' | 'summary' | 'all'

const ALL = 'all'
/** No id of the server is longer, in UTF-16 code units. The server closes a socket that sends a longer one (`bad_request`). */
const LONGEST_ID = 128
/** The server accepts messages of up to 64 KiB; a message has more than its names. */
const PORTION_BYTES = 60_000

export function toName(kind: Kind, id: string = ALL): string {
  return `${kind}:${id}`
}

export function toNames(filter: WatchFilter): string[] {
  const { connections = [], sites = [], summary = [], all } = filter
  return Object.entries({ connections, sites, summary, all: all ? [ALL] : [] }).flatMap(
    ([kind, ids]) => ids.map((id) => toName(kind as Kind, id)),
  )
}

export function toFilter(names: readonly string[]): WatchFilter {
  const filter: Partial<Record<Kind, string[]>> = {}
  for (const name of names) {
    const at = name.indexOf(':')
    ;(filter[name.slice(0, at) as Kind] ??= []).push(name.slice(at + 1))
  }
  return { ...filter, ...(filter.all && { all: true }) } as WatchFilter
}

/** Whether no row and no site can have this id. */
export function isTooLong(name: string): boolean {
  return name.length - name.indexOf(':') - 1 > LONGEST_ID
}

/** Whether it counts against `limits.watch`. */
export function isCounted(name: string): boolean {
  return name !== toName('all')
}

/** The first names that fit into one message: at most `most`, and no more bytes than the server accepts. */
export function firstPortion(names: readonly string[], most: number): readonly string[] {
  let bytes = 0
  const end = names.findIndex((name, i) => {
    // In UTF-8 a code unit beyond ASCII takes three bytes at most.
    bytes += toJson(name).replace(/[^\0-\x7f]/g, '...').length + 1
    return i >= most || (i > 0 && bytes > PORTION_BYTES)
  })
  return end < 0 ? names : names.slice(0, end)
}

/** Whether one message holds all of these. */
export function fitsOneMessage(names: readonly string[]): boolean {
  return firstPortion(names, Infinity).length === names.length
}
