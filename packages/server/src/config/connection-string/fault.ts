/** A connection string that the server refuses; the message has the cause and what to write instead, and no part of a secret. */
export class ConnectionStringFault extends Error {
  override readonly name = 'ConnectionStringFault'
}
