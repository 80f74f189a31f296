/** A check that never fails looks like a page without faults, so each check meets pages with the fault that it has to find. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import * as checks from './checks.ts'
import type { Check } from './checks.ts'
import type { Traits } from './examples.ts'
import { CARDS, FaultyPortal } from './faulty-portal.ts'
import type { Fault } from './faulty-portal.ts'
import { IDS } from './fleet.ts'
import { Stage } from './stage.ts'

const TRAITS: Traits = { withoutScript: 'name', navigation: 'client' }

let stage: Stage
let portal: FaultyPortal

beforeAll(async () => {
  stage = await Stage.open({ patienceMs: 8_000, rounds: 6 }, async (settings) => {
    portal = await FaultyPortal.start(settings)
    return portal
  })
})
afterEach(() => stage.closePages())
afterAll(() => stage?.close())

function run(check: Check, traits: Traits = TRAITS): Promise<void> {
  return check({ stage, traits, base: '/', rendered: 'element' })
}

test.each(Object.entries(checks))('%s accepts a portal without a fault', async (_, check) => {
  portal.fault = {}
  await run(check)
})

interface FaultyCase {
  readonly what: string
  readonly check: Check
  readonly fault: Fault
  readonly says: RegExp
  readonly traits?: Traits
}

/** Both ends of the page's way to the server fail from its first loss on. */
const NO_RECOVERY = `
const { WebSocket: Socket, fetch: send } = window
let isLost = false
window.WebSocket = class extends Socket {
  constructor(...given) {
    if (isLost) throw new Error('lost')
    super(...given)
    super.addEventListener('close', () => { isLost = true })
  }
}
window.fetch = (...given) => (isLost ? Promise.reject(new Error('lost')) : send(...given))`

const NO_CHANGES = `
const { addEventListener } = WebSocket.prototype
WebSocket.prototype.addEventListener = function (type, listener) {
  const heard = (event) => String(event.data).includes('"patch"') || listener(event)
  addEventListener.call(this, type, type === 'message' ? heard : listener)
}`

const RELOADS = `
const ask = async () => {
  const isBack = await fetch(statusUrl + '/readyz', { mode: 'no-cors' }).then(() => true, () => false)
  if (isBack && kept.length > 0) location.reload()
  else kept.push(...(isBack ? [] : [1])), setTimeout(ask, 50)
}
ask()`

const LATE_CARDS = `customElements.whenDefined('mqtt-status-card').then(() => {
  document.querySelector('main').innerHTML += '<mqtt-status-card connection-id="plant-7">Impianto 7</mqtt-status-card>'
})`

const DEAF = `addEventListener('click', (event) => {
  if (!event.target.closest('nav')) event.stopImmediatePropagation()
}, true)`

const SILENT_CARDS = IDS.map((id) => `<mqtt-status-card connection-id="${id}"></mqtt-status-card>`)

const CASES: readonly FaultyCase[] = [
  {
    what: 'a page that does not load the elements',
    check: checks.changesLive,
    fault: { loadsElements: false },
    says: /Timeout.*plant-7.*:state\(connected\)/s,
  },
  {
    what: 'a page that ignores changes',
    check: checks.changesLive,
    fault: { script: NO_CHANGES },
    says: /Timeout.*cascina-rossi.*:state\(disconnected\)/s,
  },
  {
    what: 'a button that does nothing',
    check: checks.buttonCommands,
    fault: { script: DEAF },
    says: /Timeout.*plant-7.*:state\(disconnected\)/s,
  },
  {
    what: 'a page that does not recover from a restart',
    check: checks.survivesRestart,
    fault: { script: NO_RECOVERY },
    says: /Timeout.*marghera-a.*:state\(disconnected\)/s,
  },
  {
    what: 'a page that reloads itself after a restart',
    check: checks.survivesRestart,
    fault: { script: RELOADS },
    says: /expected undefined to be true/,
  },
  {
    what: 'cards without a text',
    check: checks.rendersFirstText,
    fault: { cards: SILENT_CARDS.join('') },
    says: /Impianto 7/,
  },
  {
    what: 'cards that a server renders without the status',
    check: checks.rendersFirstText,
    traits: { ...TRAITS, withoutScript: 'state' },
    fault: {},
    says: /Impianto 7: connected/,
  },
  {
    what: 'cards that wait until the elements are defined',
    check: checks.upgradesLate,
    fault: { cards: '', script: LATE_CARDS },
    says: /Timeout.*Impianto 7/s,
  },
  {
    what: 'a page without connections that does not load the elements',
    check: checks.createsDefined,
    fault: { loadsElements: false },
    says: /waitForFunction: Timeout/,
  },
  {
    what: 'a socket that each navigation opens',
    check: checks.leavesNothing,
    fault: {
      onNavigate: `kept.push(new WebSocket(statusUrl.replace('http', 'ws') + '/ws/status'))`,
    },
    says: /handshakes: expected \d+ to be 1/,
  },
  {
    what: 'links that load documents',
    check: checks.leavesNothing,
    fault: { followsLinks: false },
    says: /handshakes: expected \d+ to be 1/,
  },
  {
    what: 'a listener that each navigation adds',
    check: checks.leavesNothing,
    fault: { onNavigate: `addEventListener('resize', () => main)` },
    says: /listeners: expected \d+ to be \d+/,
  },
  {
    what: 'cards that the page keeps after a navigation',
    check: checks.leavesNothing,
    fault: { onNavigate: 'kept.push(...cards)' },
    says: /cards: expected \d+ to be less than or equal to 9/,
  },
  {
    what: 'a card that a hidden part of the page keeps',
    check: checks.leavesNothing,
    fault: {
      onNavigate: `if (kept.push(1) === 1) document.body.insertAdjacentHTML('beforeend',
        '<div hidden><mqtt-status-badge connection-id="another"></mqtt-status-badge></div>')`,
    },
    says: /0 sockets to be open on \/about/,
  },
  {
    what: 'an error in the console',
    check: checks.upgradesLate,
    fault: { script: `console.error('the portal has failed')` },
    says: /the portal has failed/,
  },
  {
    what: 'an exception',
    check: checks.upgradesLate,
    fault: { script: `setTimeout(() => { throw new Error('the portal has thrown') })` },
    says: /the portal has thrown/,
  },
  {
    what: 'a violation of the policy',
    check: checks.upgradesLate,
    fault: { policy: `style-src 'none'`, cards: `<p style="color: red"></p>${CARDS}` },
    says: /Content Security Policy/,
  },
]

test.each(CASES)('finds $what', async ({ check, fault, says, traits }) => {
  portal.fault = fault
  await expect(run(check, traits)).rejects.toThrow(says)
})
