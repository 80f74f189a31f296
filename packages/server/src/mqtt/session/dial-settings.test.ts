import { expect, test } from 'vitest'
import { checkSettings, validateSettings } from './dial-settings.ts'
import type { Secrets } from './dial-settings.ts'
import { INITIAL_DIAL } from '../../model/connection/settings.ts'
import type { StoredDial } from '../../model/connection/settings.ts'

const STORED: StoredDial = { ...INITIAL_DIAL, host: 'broker.example' }

function faults(change: Partial<StoredDial>, secrets: Secrets = {}): string[] {
  const result = validateSettings({ ...STORED, ...change }, secrets)
  return result.ok ? [] : result.faults.map(({ field, code }) => `${field} ${code}`)
}

test('what is not set has a default', () => {
  expect(validateSettings(STORED)).toMatchObject({
    ok: true,
    settings: {
      port: 1883,
      protocolVersion: 4,
      keepaliveS: 30,
      topics: [],
      expectedIntervalS: 300,
    },
  })
  expect(validateSettings({ ...STORED, protocol: 'wss' })).toMatchObject({
    settings: { port: 443, path: '/mqtt' },
  })
})

test.each<[Partial<StoredDial>, Secrets, string[]]>([
  [{ protocol: 'gopher' }, {}, ['protocol choice']],
  [{ host: null }, {}, ['host required']],
  [{ host: 'a:1883' }, {}, ['host format']],
  [{ host: '::1' }, {}, []],
  [{ host: '[::1]' }, {}, []],
  [{ port: 0, keepaliveS: 70_000 }, {}, ['port range', 'keepaliveS range']],
  [{ keepaliveS: 1.5 }, {}, ['keepaliveS range']],
  [{ protocolVersion: 6 }, {}, ['protocolVersion choice']],
  [{ path: 'mqtt' }, {}, ['path format']],
  [{ path: '/a b' }, {}, ['path format']],
  [{ topics: ['ok', 'a/#/b', '+/a+'] }, {}, ['topics.1 format', 'topics.2 format']],
  [{ topics: ['#'] }, {}, []],
  [{ topics: Array.from({ length: 21 }, (_, i) => `t${i}`) }, {}, ['topics too_many']],
  [{ clientId: '' }, {}, ['clientId format']],
  [{ clientId: 'x'.repeat(65_536) }, {}, ['clientId too_long']],
  [{ tls: { ca: 'no pem' }, protocol: 'mqtts' }, {}, ['tls.ca format']],
  [
    { tls: { rejectUnauthorized: false }, protocol: 'mqtts' },
    {},
    ['tls.rejectUnauthorized unknown_field'],
  ],
  [{ tls: 'x', protocol: 'mqtts' }, {}, ['tls type']],
  [{ availability: { online: 'a' } }, {}, ['availability.topic required']],
  [{ availability: { topic: 'a/+' } }, {}, ['availability.topic format']],
  [
    { availability: { topic: 'a', online: 'x', offline: 'x' } },
    {},
    ['availability.offline conflict'],
  ],
  [{ sparkplug: { group: 'a/b', node: 'n' } }, {}, ['sparkplug.group format']],
  [{ expectedIntervalS: 0 }, {}, ['expectedIntervalS range']],
  [{}, { password: 'x' }, ['password conflict']],
  [{ protocolVersion: 5 }, { password: 'x' }, []],
  [{ username: 'u' }, { password: 'x' }, []],
  [{ protocol: 'mqtts' }, { tlsKey: 'no pem' }, ['tlsKey format']],
])('%j with %j: %j', (change, secrets, expected) => {
  expect(faults(change, secrets)).toEqual(expected)
})

test('a fault of a session names each field, and never what was found', () => {
  const failure = checkSettings(
    { ...STORED, host: 'secret host', port: 70_000 },
    { password: 'planted' },
  )
  expect(failure).toMatchObject({ reason: 'config_invalid' })
  expect(JSON.stringify(failure)).toContain('host: expected')
  expect(JSON.stringify(failure)).toContain('port: expected')
  expect(JSON.stringify(failure)).not.toMatch(/secret host|planted|70000/)
})
