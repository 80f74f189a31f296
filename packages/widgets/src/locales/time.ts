/**
 * Times in words: "for 3 min", "12 min ago", "14:32". Creating the first `Intl` formatter of a page takes longer than
 * rendering a hundred cards, so durations use the words of the language alone, and formatters are created when first used.
 * Every relative text comes with the time for which it stays true, so that elements need no ticking timer.
 */
import type { Unit } from './locale.ts'
import { count } from './plural.ts'
import type { Language } from './registry.ts'

/** A text and the time after which it has to be written anew, in ms; `null` = it stays true. */
export interface TimedText {
  readonly text: string
  readonly staysMs: number | null
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A shorter time is "now". */
const NOW_MS = 10 * SECOND
/** After this time the text is the date of the moment. */
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

// Seconds are counted by tens, because a number that changes every second distracts the viewer.
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
  return { text: locale.lasting(count(value, locale.unit[unit], tag)), staysMs }
}

/** How long ago something happened: "12 min ago", and its date after a week. */
export function ago(language: Language, atMs: number, nowMs: number): TimedText {
  const past = Math.max(0, nowMs - atMs)
  if (past >= DATE_MS) return { text: date(language, atMs, nowMs), staysMs: null }
  const { locale, tag } = language
  const { unit, value, staysMs } = elapsed(past)
  if (past < NOW_MS) return { text: locale.now, staysMs }
  // Non-breaking spaces keep the text on one line.
  const text = locale.ago(count(value, locale.unit[unit], tag)).replaceAll(' ', '\u00a0')
  return { text, staysMs }
}

/** The wall-clock time, with the date unless it is today: true until the day is over. */
export function absolute(language: Language, atMs: number, nowMs: number): TimedText {
  return onDay(midnight(atMs) === midnight(nowMs) ? '' : date(language, atMs, nowMs), {
    language,
    atMs,
    nowMs,
  })
}

/** Date and time in full, for tooltips. */
export function full({ tag }: Language, atMs: number): string {
  return formatted(
    () =>
      cached(
        `full ${tag}`,
        () => new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeStyle: 'medium' }),
      ).format(atMs),
    () => `${plainDate(atMs)} ${plainClock(atMs)}`,
  )
}

/** A past moment: "18:02", "yesterday 18:02" or "3 May 18:02". True until the day is over. */
export function dated(language: Language, atMs: number, nowMs: number): TimedText {
  const days = Math.round((midnight(nowMs) - midnight(atMs)) / DAY)
  if (days !== 1) return absolute(language, atMs, nowMs)
  const yesterday = formatted(
    () =>
      cached(
        `day ${language.tag}`,
        () => new Intl.RelativeTimeFormat(language.tag, { numeric: 'auto' }),
      ).format(-1, 'day'),
    () => plainDate(atMs),
  )
  return onDay(yesterday, { language, atMs, nowMs })
}

interface Telling {
  readonly language: Language
  readonly atMs: number
  readonly nowMs: number
}

function onDay(day: string, { language, atMs, nowMs }: Telling): TimedText {
  return {
    text: `${day} ${clock(language, atMs)}`.trim(),
    staysMs: new Date(nowMs).setHours(24, 0, 0, 0) - nowMs,
  }
}

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

/** A wait that is counted down, in the largest unit that fills: "8 sec", "3 min", "1 hr"; rounded up. */
export function countdown({ locale, tag }: Language, ms: number): TimedText {
  const [unit, size] =
    ms <= MINUTE
      ? (['second', SECOND] as const)
      : ms <= HOUR
        ? (['minute', MINUTE] as const)
        : (['hour', HOUR] as const)
  const value = Math.max(0, Math.ceil(ms / size))
  return { text: count(value, locale.unit[unit], tag), staysMs: ms - (value - 1) * size }
}

/** Hours and minutes. */
function clock({ tag }: Language, atMs: number): string {
  return formatted(
    () =>
      cached(`clock ${tag}`, () => new Intl.DateTimeFormat(tag, { timeStyle: 'short' })).format(
        atMs,
      ),
    () => plainClock(atMs),
  )
}

function date({ tag }: Language, atMs: number, nowMs: number): string {
  const thisYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear()
  return formatted(
    () =>
      cached(
        `date ${String(thisYear)} ${tag}`,
        () =>
          new Intl.DateTimeFormat(tag, {
            day: 'numeric',
            month: 'short',
            ...(thisYear ? {} : { year: 'numeric' }),
          }),
      ).format(atMs),
    () => plainDate(atMs),
  )
}

/** The fallback in digits, for browsers that lack parts of `Intl` or the data of a language. */
function formatted(localized: () => string, plain: () => string): string {
  try {
    return localized()
  } catch {
    return plain()
  }
}

function plainClock(ms: number): string {
  const at = new Date(ms)
  return `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`
}

function plainDate(ms: number): string {
  const at = new Date(ms)
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
