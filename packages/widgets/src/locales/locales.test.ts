import { ACTIONS, PROBLEMS, REASONS } from '@mqtt-status/protocol'
import { describe, expect, test, vi } from 'vitest'
import { en } from './en.ts'
import { it as italian } from './it.ts'
import type { Locale } from './locale.ts'
import { count } from './plural.ts'
import {
  chooseLanguage,
  onLocale,
  registerLocale,
  unknownStrings,
  withStrings,
} from './registry.ts'
import type { Strings } from './registry.ts'
import { absolute, ago, countdown, dated, lasting } from './time.ts'

const ENGLISH = { locale: en, tag: 'en' }
const ITALIAN = { locale: italian, tag: 'it' }
const NOW = new Date(2026, 10, 25, 12, 0, 0).getTime()
const MINUTE = 60_000

/** Every text of a language, by its path; functions are called with valid arguments. */
function texts(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value === 'function')
    return [[path, String((value as (...args: unknown[]) => unknown)(3, 'x'))]]
  return Object.entries(value as object).flatMap(([key, inner]) => texts(inner, `${path}.${key}`))
}

test.each([
  [0, '0 sec'],
  [1, '1 sec'],
  [59_001, '60 sec'],
  [60_000, '60 sec'],
  [60_001, '2 min'],
  [3_594_000, '60 min'],
  [3_600_001, '2 hr'],
  [45 * 60_000, '45 min'],
])('a wait of %i ms is counted down as %s, and stays so until its text changes', (ms, text) => {
  const shown = countdown(ENGLISH, ms)
  expect(shown.text).toBe(text)
  if (ms > 0) {
    expect(countdown(ENGLISH, ms - (shown.staysMs ?? 0) + 0.001).text).toBe(text)
    expect(countdown(ENGLISH, ms - (shown.staysMs ?? 0)).text).not.toBe(text)
  }
})

for (const locale of [en, italian]) {
  describe(locale.code, () => {
    test('has words for every reason, every problem and every action', () => {
      expect(Object.keys(locale.reason).toSorted()).toEqual(Object.keys(REASONS).toSorted())
      expect(Object.keys(locale.failure).toSorted()).toEqual(
        [...Object.keys(PROBLEMS), 'unreachable'].toSorted(),
      )
      expect(Object.keys(locale.action).toSorted()).toEqual([...ACTIONS].toSorted())
    })

    test('has no empty text', () => {
      expect(texts(locale).filter(([, text]) => text.trim() === '')).toEqual([])
    })
  })
}

test('Italian differs from English in every text, except for "min" and "No"', () => {
  const english = new Map(texts(en))
  const same = texts(italian).filter(([path, text]) => english.get(path) === text)
  expect(same.map(([path]) => path)).toEqual(['.unit.minute', '.no'])
})

test('words agree with their numbers', () => {
  expect(count(1, italian.counted.connected, 'it')).toBe('1 connessa')
  expect(count(3, italian.counted.connected, 'it')).toBe('3 connesse')
  expect(count(1, en.counted.failed, 'en')).toBe('1 error')
  expect(count(2, en.counted.failed, 'en')).toBe('2 errors')
})

test('relative times have the words of the language, and the time for which they stay true', () => {
  expect(lasting(ENGLISH, 3 * MINUTE)).toEqual({ text: 'for 3 min', staysMs: MINUTE })
  expect(lasting(ITALIAN, 3 * MINUTE).text).toBe('da 3 min')
  // With non-breaking spaces.
  expect(ago(ENGLISH, NOW - 12 * MINUTE, NOW).text).toBe('12\u00a0min\u00a0ago')
  expect(ago(ITALIAN, NOW - 12 * MINUTE, NOW).text).toBe('12\u00a0min\u00a0fa')
  expect(countdown(ENGLISH, 7_400)).toEqual({ text: '8 sec', staysMs: 400 })
  expect(dated(ITALIAN, new Date(2026, 10, 24, 18, 2).getTime(), NOW).text).toBe('ieri 18:02')
  expect(dated(ENGLISH, new Date(2026, 10, 24, 18, 2).getTime(), NOW).text).toMatch(
    /^yesterday 6:02/,
  )
  expect(dated(ITALIAN, new Date(2026, 10, 25, 9, 5).getTime(), NOW).text).toBe('09:05')
  expect(dated(ITALIAN, new Date(2026, 10, 20, 9, 5).getTime(), NOW).text).toBe('20 nov 09:05')
})

test('a moment that is named by its day is out of date when the day is over', () => {
  const at = new Date(2026, 10, 25, 17, 50).getTime()
  const evening = new Date(2026, 10, 25, 23, 55).getTime()
  for (const tell of [absolute, dated])
    expect(tell(ITALIAN, at, evening)).toEqual({ text: '17:50', staysMs: 5 * MINUTE })
  const later = evening + 10 * MINUTE
  expect(absolute(ITALIAN, at, later).text).toBe('25 nov 17:50')
  expect(dated(ITALIAN, at, later).text).toBe('ieri 17:50')
  expect(dated(ITALIAN, at, later + 24 * 60 * MINUTE).text).toBe('25 nov 17:50')
})

test('a time in the future, by a clock that is behind, is now', () => {
  expect(lasting(ENGLISH, -MINUTE).text).toBe('just now')
  expect(ago(ITALIAN, NOW + 60 * MINUTE, NOW).text).toBe('adesso')
})

test('a built-in language is loaded on demand, and listeners are called after that', async () => {
  expect(chooseLanguage(['it']).locale.code).toBe('en')
  await new Promise<void>((resolve) => {
    const leave = onLocale(() => {
      leave()
      resolve()
    })
  })
  expect(chooseLanguage(['it']).locale).toBe(italian)
})

test('a tag with a region gets the words of its language, and an unknown tag is skipped', () => {
  registerLocale(italian)
  expect(chooseLanguage(['it-CH'])).toMatchObject({ locale: { code: 'it' }, tag: 'it-CH' })
  expect(chooseLanguage(['xx', 'it']).locale.code).toBe('it')
  expect(chooseLanguage(['not a tag']).locale.code).toBe('en')
})

test('a page may replace single texts', () => {
  const { locale } = withStrings(ENGLISH, { missing: 'Gone', look: { connected: 'Up' } })
  expect(locale.missing).toBe('Gone')
  expect(locale.look).toMatchObject({ connected: 'Up', lost: 'Connection lost' })
})

test('a text that a language lacks is English, and the console names it once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const action: Record<string, unknown> = { ...italian.action }
  delete action['connect']
  const unit = { ...italian.unit, day: 'd' }
  const partial: Record<string, unknown> = { ...italian, code: 'xx', ago: 'fa', action, unit }
  delete partial['lasting']
  registerLocale(partial as unknown as Locale)
  const { locale } = chooseLanguage(['xx'])
  expect(locale.lasting('3 min')).toBe('for 3 min')
  expect(locale.ago('3 min')).toBe('3 min ago')
  expect(locale.action).toMatchObject({
    connect: { label: 'Connect' },
    disconnect: { label: 'Disconnetti' },
  })
  expect(locale.unit.day).toBe('d')
  expect(warn.mock.calls).toEqual([
    ['mqtt-status: the locale xx lacks action.connect, lasting, ago; English is said instead.'],
  ])
  warn.mockRestore()
})

test('a page may replace one text of a group, and an unknown key is found', () => {
  const strings = { action: { connect: { label: 'Go' } }, linc: {}, look: { conected: 'Up' } }
  const { locale } = withStrings(ENGLISH, strings as unknown as Strings)
  expect(locale.action.connect).toMatchObject({ label: 'Go', busy: 'Connecting…' })
  expect(unknownStrings(strings as unknown as Strings)).toEqual(['linc', 'look.conected'])
})
