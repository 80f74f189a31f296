/** Which buttons a connection offers, for every status and every wish. */
import type { Action, Connection, Status } from '@mqtt-status/protocol'
import { expect } from '@open-wc/testing'
import { offer } from '../../src/elements/parts/offer.ts'
import type { Offer } from '../../src/elements/parts/offer.ts'
import { row } from './fake-server.ts'

type Wish = 'connected' | 'disconnected' | 'null'

/** As the buttons read: `stop` is Disconnect where the supervisor is trying to connect. */
type Words = readonly (Action | 'stop')[]

/** A status of a newer server is offered like `unknown`. */
const OFFERED: Readonly<Record<Status | 'hibernating', Readonly<Record<Wish, Words>>>> = {
  connected: { connected: ['disconnect'], disconnected: ['connect'], null: ['disconnect'] },
  connecting: { connected: ['disconnect'], disconnected: ['connect'], null: ['disconnect'] },
  reconnecting: { connected: ['stop'], disconnected: ['connect'], null: ['disconnect'] },
  disconnecting: { connected: ['disconnect'], disconnected: ['connect'], null: ['disconnect'] },
  disconnected: { connected: ['stop'], disconnected: ['connect'], null: ['connect'] },
  failed: {
    connected: ['reconnect', 'stop'],
    disconnected: ['connect'],
    null: ['reconnect', 'disconnect'],
  },
  unknown: {
    connected: ['disconnect'],
    disconnected: ['connect'],
    null: ['connect', 'disconnect'],
  },
  hibernating: { connected: ['disconnect'], disconnected: ['connect'], null: ['disconnect'] },
}

function offered(change: Partial<Connection>): Offer | null {
  return offer({
    row: row(change),
    link: 'live',
    can: ['view', 'control'],
    controls: 'auto',
    action: 'auto',
    refused: false,
  })
}

function words(found: Offer | null): Words {
  return (found?.actions ?? []).map((action) =>
    action === 'disconnect' && found?.endsAttempts ? 'stop' : action,
  )
}

for (const [status, byWish] of Object.entries(OFFERED)) {
  for (const [wish, expected] of Object.entries(byWish)) {
    const seen = {
      status: status as Status,
      desired: wish === 'null' ? null : (wish as Exclude<Wish, 'null'>),
    }

    it(`${status}, wanted ${wish}: ${expected.join(' and ')}`, () => {
      expect(words(offered(seen))).to.deep.equal(expected)
    })

    it(`${status}, wanted ${wish}, only observed: nothing`, () => {
      expect(offered({ ...seen, managed: false })).to.equal(null)
    })
  }
}
