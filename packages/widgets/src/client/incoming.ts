/**
 * Reads messages of the server, and replaces fields of a wrong type. A newer server, or a proxy that changes messages, may
 * send any value: one wrong field must not keep the other rows from the page.
 */
import { COMMAND_TIMEOUT_MS, HEARTBEAT_MS } from '@mqtt-status/protocol'
import type { Connection, ServerMessage } from '@mqtt-status/protocol'

type Fields = Record<string, unknown> & { since?: unknown }

/** Fields of a row that are texts, or `null`. */
const NULLABLE = [
  'desired',
  'desiredAt',
  'desiredBy',
  'reason',
  'detail',
  'lastMessageAt',
  'deviceSince',
]
const TEXTS = ['siteId', 'name', 'status', 'since', 'device']
const NUMBERS = ['revision', 'generation', 'observedGeneration']

/** A day: a longer wait is a mistake, and timers can't hold more than 24.8 days. */
const LONGEST_MS = 86_400_000
const WATCH_LIMIT = 1_000

/** @returns the message, `null` if it is none */
export function readMessage(text: string): ServerMessage | null {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(message) || typeof message['type'] !== 'string') return null
  mend(message)
  return message as unknown as ServerMessage
}

function mend(message: Fields): void {
  switch (message['type']) {
    case 'welcome': {
      const limits = isObject(message['limits']) ? message['limits'] : {}
      message['limits'] = { watch: within(limits['watch'], WATCH_LIMIT) }
      message['can'] = listOf(message['can'])
      if (typeof message['epoch'] !== 'string') message['epoch'] = ''
      message['unknownScope'] = listOf(message['unknownScope'])
      message['heartbeatMs'] = within(message['heartbeatMs'], HEARTBEAT_MS)
      message['commandTimeoutMs'] = within(message['commandTimeoutMs'], COMMAND_TIMEOUT_MS)
      return
    }
    case 'snapshot':
    case 'patch':
      message['connections'] = listOf(message['connections']).flatMap((row) => readRow(row) ?? [])
      message['removed'] = listOf(message['removed']).filter(isObject)
      message['missing'] = listOf(message['missing'])
      return
    case 'bye': {
      const [from, to] = listOf(message['reconnectAfterMs'])
      const fromMs = within(from, -1, 0)
      message['reconnectAfterMs'] = fromMs < 0 ? null : [fromMs, within(to, fromMs, fromMs)]
      return
    }
    case 'feed': {
      const { since } = message
      const isTime = typeof since === 'string' && !Number.isNaN(Date.parse(since))
      if (!isTime) message['since'] = new Date().toISOString()
      return
    }
    default:
  }
}

/** @returns the row itself with its odd fields mended, `null` if it has no id */
export function readRow(row: unknown): Connection | null {
  if (!isObject(row) || typeof row['id'] !== 'string') return null
  for (const name of TEXTS) if (typeof row[name] !== 'string') row[name] = ''
  for (const name of NULLABLE) if (typeof row[name] !== 'string') row[name] = null
  for (const name of NUMBERS) if (!Number.isFinite(row[name])) row[name] = 0
  if (!isObject(row['labels'])) row['labels'] = {}
  row['managed'] = row['managed'] !== false
  return row as unknown as Connection
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** A number that timers can hold. */
function within(value: unknown, fallback: number, least = 1): number {
  return typeof value === 'number' && value >= least && value <= LONGEST_MS ? value : fallback
}
