/** A process that mirrors, for tests that kill it: the address of the database is its argument. */
import { Mirroring } from '../../src/attach/mirroring.ts'
import { Lane } from '../../src/db/postgres/lane.ts'
import { createLog } from '../../src/log.ts'

const [, , address = ''] = process.argv
const lane = new Lane({
  ...{ address, schema: 'mqtt_status', applicationName: 'mqtt-status-killed' },
  ...{ sessions: 1, deadlineMs: 60_000 },
})
const log = createLog({ level: 'silent', format: 'json' })
new Mirroring({ lane, nodeId: 'killed', log }).start()
