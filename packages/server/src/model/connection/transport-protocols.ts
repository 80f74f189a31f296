/**
 * The transport protocols of MQTT. A new one also needs its stream in mqtt/session/stream.ts; one that does not run over TCP
 * needs another connection than that of mqtt/session/session.ts, too.
 */
export const PROTOCOLS = ['mqtt', 'mqtts', 'ws', 'wss'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export interface TransportProtocol {
  /** The port that IANA has registered. */
  readonly port: number
  /** Whether the bytes between server and broker are encrypted. */
  readonly isEncrypted: boolean
}

export const TRANSPORT_PROTOCOLS: Readonly<Record<Protocol, TransportProtocol>> = {
  mqtt: { port: 1883, isEncrypted: false },
  mqtts: { port: 8883, isEncrypted: true },
  ws: { port: 80, isEncrypted: false },
  wss: { port: 443, isEncrypted: true },
}

/** @returns the port of a protocol as the row has it; `null` if the server does not know the protocol */
export function defaultPort(protocol: unknown): number | null {
  const known = PROTOCOLS.find((name) => name === protocol)
  return known === undefined ? null : TRANSPORT_PROTOCOLS[known].port
}

/** The names for an error text: `mqtt, mqtts, ws or wss`. */
export function protocolNames(
  isWanted: (protocol: TransportProtocol) => boolean = () => true,
): string {
  const names = PROTOCOLS.filter((name) => isWanted(TRANSPORT_PROTOCOLS[name]))
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`
}
