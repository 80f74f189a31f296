/** Times that server and client share. */

/** The time between two pings of the server to a client, in ms, unless the server announces another in `welcome`. */
export const HEARTBEAT_MS = 25_000

/** How long a page shows a lost connection as reconnecting before it shows it as lost, in ms. */
export const RECONNECT_GRACE_MS = 30_000

/** How long a command may be pending before every page shows that there is no confirmation yet, in ms. */
export const COMMAND_TIMEOUT_MS = 15_000
