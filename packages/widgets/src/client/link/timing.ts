/**
 * How long the link waits for a transport to open, to send and to answer, and before the page shows a loss. `../transport/fallback.ts`
 * has the wait for a server that no transport has reached.
 */

/** The page shows no loss that ends within this time. After waking, and after a `bye`, it waits longer. */
export const FLICKER_MS = 1_000
export const WAKING_MS = 3_000
/** A transport is lost where the server sends nothing for this time, after the heartbeat that it has announced. */
export const SILENCE_MS = 10_000
/** Every transport reports within this time that it is open, or closed. */
export const OPENING_MS = 15_000
/** A transport that may be dead has to answer a `ping` within this time. */
export const PROBE_MS = 2_000
/** The network may deliver messages this long after waking that were sent before. */
export const DOUBT_MS = 1_000
