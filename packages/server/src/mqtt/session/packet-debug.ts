/** Keeps `mqtt` and `mqtt-packet` from printing packets, passwords included, if `DEBUG` names them. */
import { createRequire } from 'node:module'

interface Debug {
  /** @returns the namespaces that were enabled */
  disable(): string
  enable(namespaces: string): void
}

const NAMESPACES = ['mqttjs', 'mqtt-packet'] as const

let withheld = false

/** Excludes these two libraries from debug output; other namespaces of `DEBUG` stay enabled. */
export function withholdPacketDebug(): void {
  if (withheld) return
  withheld = true
  const mqtt = createRequire(import.meta.resolve('mqtt'))
  const packet = createRequire(mqtt.resolve('mqtt-packet'))
  for (const library of [mqtt, packet]) {
    const debug = library('debug') as Debug
    const enabled = debug.disable()
    if (enabled !== '') debug.enable([enabled, ...NAMESPACES.map((name) => `-${name}*`)].join(','))
  }
}
