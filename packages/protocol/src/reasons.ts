/**
 * How a reason is retried: `transient` with full jitter, `slow` from 30 s up to 10 min, `permanent` three slow
 * tries and then `failed`; `none` is not a failure.
 */
export type ReasonClass = 'transient' | 'slow' | 'permanent' | 'none'

/** Every reason code a row may carry, with the way it is retried. */
export const REASONS = {
  dns_not_found: 'transient',
  dns_temporary: 'transient',
  connection_refused: 'transient',
  host_unreachable: 'transient',
  connect_timeout: 'transient',
  connection_reset: 'transient',
  keepalive_timeout: 'transient',
  closed_by_broker: 'transient',
  tls_untrusted: 'permanent',
  tls_expired: 'permanent',
  tls_hostname: 'permanent',
  tls_client_cert: 'permanent',
  not_mqtt: 'permanent',
  bad_credentials: 'permanent',
  not_authorized: 'permanent',
  client_id_rejected: 'permanent',
  protocol_version: 'permanent',
  banned: 'permanent',
  auth_method: 'permanent',
  will_rejected: 'permanent',
  server_unavailable: 'transient',
  server_busy: 'slow',
  server_shutting_down: 'transient',
  session_taken_over: 'slow',
  server_keepalive: 'transient',
  quota: 'slow',
  admin_action: 'slow',
  use_another_server: 'permanent',
  server_moved: 'permanent',
  rate_exceeded: 'slow',
  max_connect_time: 'transient',
  subscription_denied: 'none',
  config_invalid: 'permanent',
  address_blocked: 'permanent',
  secret_unreadable: 'permanent',
  command: 'none',
  startup: 'none',
  config_changed: 'none',
  owner_lost: 'none',
  supervisor_lost: 'none',
  handover: 'none',
  flapping: 'slow',
  client_id_conflict: 'slow',
} as const

export type Reason = keyof typeof REASONS
