/** The page's own server or function has failed to give a token; the message says how. */
export class TokenError extends Error {}

/** The page's own server or function has answered that this visitor gets no token. */
export const DENIED: Error = new Error('No token for this visitor')
