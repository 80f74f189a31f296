/** The broker sends what this server does not accept, or does not read what this server sends; the server ends the session. */
export class BrokerFault extends Error {
  readonly reason: 'protocol_error' | 'keepalive_timeout'
  /** The reason code of the DISCONNECT that the server sends in MQTT 5 (2.4); `null`: it sends none. */
  readonly reasonCode: number | null

  constructor(
    message: string,
    reason: BrokerFault['reason'],
    reasonCode: BrokerFault['reasonCode'] = null,
  ) {
    super(message)
    this.name = 'BrokerFault'
    this.reason = reason
    this.reasonCode = reasonCode
  }
}
