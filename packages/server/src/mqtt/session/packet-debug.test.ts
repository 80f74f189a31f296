import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { withholdPacketDebug } from './packet-debug.ts'

interface Debug {
  (namespace: string): { readonly enabled: boolean }
  enable(namespaces: string): void
  disable(): string
}

test('a program that debugs everything gets all but the packets', () => {
  const debug = createRequire(import.meta.resolve('mqtt'))('debug') as Debug
  const made = ['mqttjs:client', 'mqttjs', 'mqtt-packet:writeToStream', 'portal:page'].map((name) =>
    debug(name),
  )
  debug.enable('*')
  expect(made.map(({ enabled }) => enabled)).toEqual([true, true, true, true])
  withholdPacketDebug()
  expect(made.map(({ enabled }) => enabled)).toEqual([false, false, false, true])
  expect(debug('mqtt-packet:parser').enabled).toBe(false)
  debug.disable()
})
