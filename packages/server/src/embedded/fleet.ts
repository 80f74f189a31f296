/** The twelve dataloggers of the demo: names, behaviour, and the faults that some of them have. */
import type { DemoBroker } from './broker.ts'

/**
 * - `healthy`: connects and publishes
 * - `slow`: the broker accepts it after 4 s
 * - `silent`: connects, but sends no data
 * - `flapping`: the broker drops it every 20 s to 40 s
 * - `refused`: the broker refuses its password
 * - `off`: switched off on purpose
 */
type Behaviour = 'healthy' | 'slow' | 'silent' | 'flapping' | 'refused' | 'off'

export interface Datalogger {
  /** Also its user name at the broker. */
  readonly id: string
  readonly siteId: string
  readonly name: string
  readonly place: string
  readonly country: 'it' | 'uk'
  /** Peak power; the telemetry is between 55 % and 85 % of it. */
  readonly peakKw: number
  readonly behaviour: Behaviour
}

/** In the order of the portal page. */
export const FLEET: readonly Datalogger[] = [
  datalogger('plant-7 site-7 it 420 healthy', 'Impianto 7', 'Brescia'),
  datalogger('cascina-rossi cascina-rossi it 96 healthy', 'Cascina Rossi', 'Cremona'),
  datalogger('montebello montebello it 1250 refused', 'Parco Montebello', 'Vicenza'),
  datalogger('valle-verde valle-verde it 180 flapping', 'Valle Verde', 'Perugia'),
  datalogger('marghera-a porto-marghera it 640 healthy', 'Porto Marghera, linea A', 'Venezia'),
  datalogger('marghera-b porto-marghera it 640 slow', 'Porto Marghera, linea B', 'Venezia'),
  datalogger('salento-sud salento-sud it 2100 off', 'Salento Sud', 'Lecce'),
  datalogger('ashford-farm ashford-farm uk 74 healthy', 'Ashford Farm', 'Kent'),
  datalogger('bristol-docks bristol-docks uk 310 healthy', 'Bristol Docks', 'Bristol'),
  datalogger('leeds-depot leeds-depot uk 155 silent', 'Leeds Depot', 'Leeds'),
  datalogger('norfolk-barns norfolk-barns uk 88 healthy', 'Norfolk Barns', 'Norwich'),
  datalogger('truro-clay truro-clay uk 500 healthy', 'Truro Clay Works', 'Cornwall'),
]

function datalogger(facts: string, name: string, place: string): Datalogger {
  const [id = '', siteId = '', country = '', peakKw = '', behaviour = ''] = facts.split(' ')
  return {
    id,
    siteId,
    name,
    place,
    country: country as Datalogger['country'],
    peakKw: Number(peakKw),
    behaviour: behaviour as Behaviour,
  }
}

/** CONNACK of MQTT 3.1.1: accepted. */
const WELCOME = 0
/** CONNACK of MQTT 3.1.1: bad user name or password. */
const BAD_CREDENTIALS = 4

const SLOW_MS = 4_000
const MESSAGE_MS: Range = [3_000, 9_000]
const DROP_MS: Range = [20_000, 40_000]

type Range = readonly [min: number, max: number]

/** The answer of the broker to a CONNECT of this user, and its delay. */
export function admit(username: string | undefined): { returnCode: number; afterMs: number } {
  const found = FLEET.find(({ id }) => id === username)
  if (found === undefined || found.behaviour === 'refused')
    return { returnCode: BAD_CREDENTIALS, afterMs: 0 }
  return { returnCode: WELCOME, afterMs: found.behaviour === 'slow' ? SLOW_MS : 0 }
}

/** The topic of a datalogger. */
function topicOf(id: string): string {
  return `plants/${id}/telemetry`
}

/**
 * Simulates the dataloggers: publishes their telemetry, and drops the flapping one.
 *
 * @returns a function that stops the simulation
 */
export function simulateFleet(broker: DemoBroker, random: () => number = Math.random): () => void {
  const timers = new Set<NodeJS.Timeout>()
  for (const device of FLEET) {
    switch (device.behaviour) {
      case 'healthy':
      case 'slow':
        repeat(MESSAGE_MS, () => {
          broker.publish(topicOf(device.id), telemetry(device, random))
        })
        break
      case 'flapping':
        repeat(DROP_MS, () => {
          broker.drop(device.id)
        })
        break
      case 'silent':
      case 'refused':
      case 'off':
        break
    }
  }

  function repeat([min, max]: Range, act: () => void): void {
    const id = setTimeout(
      () => {
        timers.delete(id)
        repeat([min, max], act)
        act()
      },
      min + random() * (max - min),
    )
    timers.add(id)
  }

  return () => {
    for (const id of timers) clearTimeout(id)
  }
}

function telemetry({ peakKw }: Datalogger, random: () => number): string {
  const powerKw = Math.round(peakKw * (0.55 + 0.3 * random()) * 10) / 10
  return JSON.stringify({ powerKw, gridV: Math.round(2_300 + 40 * random()) / 10 })
}
