/** Times that both ends go by. */

/** The time between two pings of the server to a client, in ms, unless the server announces another in `welcome`. */
export const HEARTBEAT_MS = 25_000

/** How long a lost connection is shown as reconnecting before it is called lost, in ms. */
export const RECONNECT_GRACE_MS = 30_000

/** How long a command may wait for its result before every page says that there is no confirmation yet, in ms. */
export const COMMAND_TIMEOUT_MS = 15_000
