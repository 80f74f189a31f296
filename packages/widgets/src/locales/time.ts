/**
 * Times in words: "for 3 min", "12 min ago", "14:32". Formatters are costly to make, so each is made once a language.
 * Every relative text says for how long it stays true, so that nobody has to tick.
 */
import type { Language } from './registry.ts'

/** A text and the time after which it has to be written anew, in ms; `null` = it stays true. */
export interface TimedText {
  readonly text: string
  readonly staysMs: number | null
}

type Unit = 'second' | 'minute' | 'hour' | 'day'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Below this everything is "now". */
const NOW_MS = 10 * SECOND
/** Above this a moment is named by its date. */
const DATE_MS = 7 * DAY

const formatters = new Map<string, unknown>()

function cached<T>(key: string, make: () => T): T {
  if (!formatters.has(key)) formatters.set(key, make())
  return formatters.get(key) as T
}

interface Elapsed {
  readonly unit: Unit
  readonly value: number
  readonly staysMs: number
}

// Seconds go by tens: a number that hops every second pulls the eye to what is not news.
function elapsed(ms: number): Elapsed {
  if (ms < MINUTE) {
    const value = Math.floor(ms / NOW_MS) * 10
    return { unit: 'second', value, staysMs: NOW_MS - (ms % NOW_MS) }
  }
  const [unit, size] =
    ms < HOUR
      ? (['minute', MINUTE] as const)
      : ms < DAY
        ? (['hour', HOUR] as const)
        : (['day', DAY] as const)
  return { unit, value: Math.floor(ms / size), staysMs: size - (ms % size) }
}

/** How long something has lasted: "for 3 min". A time ahead of the clock counts as now. */
export function lasting({ locale, tag }: Language, ms: number): TimedText {
  const past = Math.max(0, ms)
  const { unit, value, staysMs } = elapsed(past)
  if (past < NOW_MS) return { text: locale.now, staysMs }
  return { text: locale.lasting(short(tag, unit).format(value)), staysMs }
}

/** How long ago something happened: "12 min ago", and its date after a week. */
export function ago(language: Language, atMs: number, nowMs: number): TimedText {
  const past = Math.max(0, nowMs - atMs)
  const { unit, value, staysMs } = elapsed(past)
  if (past < NOW_MS) return { text: language.locale.now, staysMs }
  if (past >= DATE_MS) return { text: date(language, atMs, nowMs), staysMs: null }
  // "3 min. ago" beside "for 3 min" looks like a mistake.
  const text = relative(language.tag).format(-value, unit).replaceAll('.', '')
  return { text, staysMs }
}

/** The wall-clock time, with the date unless it is today. */
export function absolute(language: Language, atMs: number, nowMs: number): string {
  const sameDay = new Date(atMs).toDateString() === new Date(nowMs).toDateString()
  return sameDay ? clock(language, atMs) : `${date(language, atMs, nowMs)} ${clock(language, atMs)}`
}

/** The whole moment, for tooltips. */
export function full({ tag }: Language, atMs: number): string {
  return cached(
    `full ${tag}`,
    () => new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeStyle: 'medium' }),
  ).format(atMs)
}

/** A past moment as people name it: "18:02", "yesterday 18:02", "3 May 18:02". */
export function dated(language: Language, atMs: number, nowMs: number): string {
  const days = Math.round((midnight(nowMs) - midnight(atMs)) / DAY)
  if (days !== 1) return absolute(language, atMs, nowMs)
  return `${relative(language.tag).format(-1, 'day')} ${clock(language, atMs)}`
}

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

/** A wait that is counted down: "8 s". */
export function seconds(language: Language, ms: number): TimedText {
  const value = Math.max(0, Math.ceil(ms / SECOND))
  return { text: short(language.tag, 'second').format(value), staysMs: ms - (value - 1) * SECOND }
}

function short(tag: string, unit: Unit): Intl.NumberFormat {
  return cached(
    `unit ${unit} ${tag}`,
    () => new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short' }),
  )
}

function relative(tag: string): Intl.RelativeTimeFormat {
  return cached(
    `ago ${tag}`,
    () => new Intl.RelativeTimeFormat(tag, { style: 'short', numeric: 'auto' }),
  )
}

/** Hours and minutes. */
export function clock({ tag }: Language, atMs: number): string {
  return cached(`clock ${tag}`, () => new Intl.DateTimeFormat(tag, { timeStyle: 'short' })).format(
    atMs,
  )
}

function date({ tag }: Language, atMs: number, nowMs: number): string {
  const thisYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear()
  return cached(
    `date ${String(thisYear)} ${tag}`,
    () =>
      new Intl.DateTimeFormat(tag, {
        day: 'numeric',
        month: 'short',
        ...(thisYear ? {} : { year: 'numeric' }),
      }),
  ).format(atMs)
}
