/** Warnings about variables whose names look like a misspelt setting. */
import type { Environment } from './environment.ts'
import { SETTINGS, UNSUPPORTED } from './settings.ts'

/** A letter that is missing, added or wrong counts as one; two that have changed places count as two. */
const NEAR = 2
/** Names like HOST and PORT are near to too many names of other programs. */
const SHORTEST = 7

export function misspelt(environment: Environment): string[] {
  const known = [...SETTINGS, ...UNSUPPORTED].map(({ variable }) => variable)
  const candidates = known.filter((name) => name.length >= SHORTEST)
  return Object.keys(environment)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(name, candidates)
      return meant === null ? [] : [`${name} is not a setting; did you mean ${meant}?`]
    })
}

function nearest(name: string, candidates: readonly string[]): string | null {
  let best: { readonly candidate: string; readonly away: number } | null = null
  for (const candidate of candidates) {
    const away = distance(name, candidate)
    if (away <= NEAR && (best === null || away < best.away)) best = { candidate, away }
  }
  return best?.candidate ?? null
}

/** Levenshtein distance of two short names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
