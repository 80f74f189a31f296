/** A process that owns an embedded Postgres and prints its address; tests kill it. */
import { startPostgres } from '../../src/embedded/postgres.ts'

const [folder = ''] = process.argv.slice(2)
// Ctrl-C is for the owner to answer; this one takes its time.
process.on('SIGINT', () => process.stdout.write('interrupted\n'))
const { url } = await startPostgres({ folder, durable: false })
process.stdout.write(`${url}\n`)
