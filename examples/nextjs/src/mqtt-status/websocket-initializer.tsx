'use client'

import { useMqttStatusSocket } from './use-mqtt-status-socket'

/** Calls the hook for the layout, which is a server component. */
export function WebSocketInitializer() {
  useMqttStatusSocket()
  return null
}
