/** `mqtt` and `mqtt-packet` print packets, passwords included, where `DEBUG` names them. */
import { createRequire } from 'node:module'

interface Debug {
  /** Answers what was enabled. */
  disable(): string
  enable(namespaces: string): void
}

const NAMESPACES = ['mqttjs', 'mqtt-packet'] as const

let withheld = false

/** Excludes these libraries from debug output, whatever else the program that contains this server debugs. */
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
