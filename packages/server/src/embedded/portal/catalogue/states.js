// Every state of the elements, as the messages of a client that lead to it.

const MINUTE = 60_000

function ago(ms) {
  return new Date(Date.now() - ms).toISOString()
}

function row(change = {}) {
  return {
    id: 'plant-7',
    siteId: 'site-7',
    name: 'Impianto 7',
    revision: 1,
    desired: 'connected',
    desiredAt: null,
    desiredBy: null,
    status: 'connected',
    reason: null,
    detail: null,
    since: ago(3 * MINUTE + 5_000),
    generation: 1,
    observedGeneration: 1,
    lastMessageAt: null,
    device: 'unknown',
    deviceSince: null,
    managed: true,
    labels: {},
    ...change,
  }
}

function yesterday() {
  const date = new Date(Date.now() - 24 * 60 * MINUTE)
  date.setHours(18, 2, 0, 0)
  return date.toISOString()
}

const off = {
  status: 'disconnected',
  desired: 'disconnected',
  reason: 'command',
  since: yesterday(),
  desiredAt: yesterday(),
}
const failed = {
  status: 'failed',
  reason: 'bad_credentials',
  detail: 'Connection refused: Bad User Name or Password (code 134)',
  since: ago(12 * MINUTE),
}

/** Notices that no row explains, because the author of the page has to choose first. */
export const SEVERAL = { row: row(), others: [row({ id: 'plant-8', name: 'Impianto 8' })] }

/** The key is the caption, and the address of the specimen: `#card-lost`. */
export const STATES = {
  connected: { row: row() },
  'device online': { row: row({ device: 'online', lastMessageAt: ago(40_000) }) },
  'device offline': {
    row: row({ device: 'offline', lastMessageAt: ago(2 * 60 * MINUTE) }),
  },
  'device stale': { row: row({ device: 'stale', lastMessageAt: ago(26 * MINUTE) }) },
  'subscription denied': { row: row({ reason: 'subscription_denied' }) },
  connecting: { row: row({ status: 'connecting', since: ago(4_000) }) },
  reconnecting: {
    row: row({ status: 'reconnecting', reason: 'connection_reset', since: ago(1_000) }),
  },
  lost: {
    row: row({ status: 'reconnecting', reason: 'keepalive_timeout', since: ago(12 * MINUTE) }),
  },
  'lost against the wish': {
    row: row({ status: 'disconnected', reason: 'admin_action', since: ago(51 * MINUTE) }),
  },
  failed: { row: row(failed) },
  disconnecting: {
    row: row({ status: 'disconnecting', desired: 'disconnected', since: ago(1_000) }),
  },
  disconnected: { row: row(off), can: ['view'] },
  'disconnected by somebody': { row: row({ ...off, desiredBy: 'anna@example.com' }) },
  unknown: { row: row({ status: 'unknown', desired: null, reason: null }) },
  'supervisor lost': { row: row({ status: 'unknown', reason: 'supervisor_lost' }) },
  'status of a newer server': { row: row({ status: 'hibernating', desired: null }) },
  observed: { row: row({ managed: false, desired: null }) },
  'view only': { row: row(), can: ['view'] },
  // The command is an hour ahead, so that its deadline does not pass while a viewer reads the catalogue.
  pending: {
    row: row({ desired: 'disconnected', desiredAt: ago(-60 * MINUTE), generation: 2 }),
    pending: { action: 'disconnect', phase: 'accepted' },
  },
  'no confirmation': { row: row(), pending: { action: 'disconnect', phase: 'overdue' } },
  'command fails': { row: row(), answer: 'database_unavailable' },
  'command is forbidden': { row: row(), answer: 'forbidden' },
  'command comes too soon': { row: row(), answer: 'rate_limited', retryAfterMs: 20_000 },
  'command is not answered': { row: row(), answer: 'never' },
  stale: { row: row(), link: 'stale' },
  'stale and failed': { row: row(failed), link: 'stale' },
  offline: { row: row(), link: 'offline' },
  'outcome unknown': {
    row: row(),
    link: 'stale',
    pending: { action: 'disconnect', phase: 'accepted' },
  },
  loading: { link: 'connecting' },
  missing: { missing: true },
  'token expired': { link: 'unauthorized' },
  'token expired, row known': { row: row(), link: 'unauthorized' },
  forbidden: { link: 'forbidden' },
  incompatible: { link: 'incompatible' },
  unavailable: { link: 'unavailable' },
  unreachable: { link: 'connecting', cause: 'unreachable' },
  'no token': { link: 'unauthorized', cause: 'tokenless' },
  'long words': {
    row: row({
      name: 'Parco fotovoltaico di Castelnuovo Magra, inverter e datalogger della linea Nord-Est 2',
      status: 'failed',
      reason: 'tls_hostname',
      detail:
        'Hostname/IP does not match certificate’s altnames: Host: mqtt.a-very-long-subdomain.example.com. is not in the cert’s altnames',
      since: ago(26 * 60 * MINUTE),
      device: 'stale',
      lastMessageAt: ago(27 * 60 * MINUTE),
    }),
  },
}
