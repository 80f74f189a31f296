/**
 * The page's one timer. It fires when the next text or icon is due to change, is off while the page is hidden, and fires
 * what is overdue when the page is visible again: after a laptop's sleep no page shows an outdated "3 min ago".
 */
import { attempt } from '../client/report.ts'

interface Alarm {
  dueAt: number
  readonly ring: () => void
}

const alarms = new Set<Alarm>()
let timer: ReturnType<typeof setTimeout> | undefined
let timerDueAt = Infinity
let watching = false

/** Alarms that are due within so many ms ring together. */
const TOGETHER_MS = 50
/** The longest delay of a browser's timers. */
const LONGEST_MS = 2 ** 31 - 1

/** Calls back once, `delayMs` from now; never if `delayMs` is `NaN`. Returns the undo function. */
export function wakeIn(delayMs: number, ring: () => void): () => void {
  if (Number.isNaN(delayMs)) return () => undefined
  const alarm: Alarm = { dueAt: performance.now() + Math.max(0, delayMs), ring }
  alarms.add(alarm)
  watchVisibility()
  if (alarm.dueAt < timerDueAt) schedule(alarm.dueAt)
  return () => alarms.delete(alarm)
}

function schedule(dueAt: number): void {
  clearTimeout(timer)
  timer = undefined
  timerDueAt = Infinity
  if (dueAt === Infinity || document.hidden) return
  timerDueAt = dueAt
  timer = setTimeout(ringDue, Math.min(LONGEST_MS, dueAt - performance.now()))
}

function ringDue(): void {
  const now = performance.now() + TOGETHER_MS
  const due = [...alarms].filter((alarm) => alarm.dueAt <= now)
  for (const alarm of due) alarms.delete(alarm)
  let next = Infinity
  for (const alarm of alarms) next = Math.min(next, alarm.dueAt)
  schedule(next)
  // An alarm that throws stops neither the clock nor the others.
  for (const { ring } of due) attempt(ring)
}

function watchVisibility(): void {
  if (watching) return
  watching = true
  document.addEventListener('visibilitychange', ringDue)
}
