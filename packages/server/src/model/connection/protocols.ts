/** The transport protocols of MQTT. A new one also needs its stream in mqtt/session/stream.ts. */
export const PROTOCOLS = ['mqtt', 'mqtts', 'ws', 'wss'] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** The ports that IANA has registered for the protocols. */
export const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = {
  mqtt: 1883,
  mqtts: 8883,
  ws: 80,
  wss: 443,
}

/** @returns the port of a protocol as the row has it; `null` if the server does not know the protocol */
export function defaultPort(protocol: unknown): number | null {
  const known = PROTOCOLS.find((name) => name === protocol)
  return known === undefined ? null : DEFAULT_PORTS[known]
}
