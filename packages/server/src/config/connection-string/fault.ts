/** Why a connection string can't be used, and what to write instead; never with a part of a secret. */
export class ConnectionStringFault extends Error {
  override readonly name = 'ConnectionStringFault'
}
