const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** @returns the seconds of a duration like `45s`, `30m`, `12h` or `7d` (without a unit: seconds), `null` if it is none */
export function parseDuration(text: string): number | null {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text.trim()) ?? []
  const seconds = Number(amount) * (SECONDS[unit] ?? 1)
  return seconds > 0 ? seconds : null
}

/** A duration in its two largest units, rounded to seconds: `7d`, `7d 1h`, `90s` is `1m 30s`. */
export function formatDuration(seconds: number): string {
  let rest = Math.round(seconds)
  const parts: string[] = []
  for (const [unit, size] of Object.entries(SECONDS).reverse()) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${unit}`)
    rest %= size
  }
  return parts.slice(0, 2).join(' ') || '0s'
}
