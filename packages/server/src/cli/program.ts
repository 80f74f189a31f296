/** The commands and their options. Each command is loaded only when it is called: `--help` should not wait for them. */
import { Command, Option } from 'commander'
import { SETTINGS } from '../settings.ts'
import type { Edge } from './edge.ts'

interface DoctorFlags extends Record<string, string | boolean> {
  readonly adopt: boolean
  readonly json: boolean
}

export function createProgram(edge: Edge): Command {
  const program = new Command('mqtt-status')
    .description('Keeps the MQTT connections listed in a Postgres table and shows them live.')
    .version(edge.version)
    .showHelpAfterError('(add --help for what there is)')

  const serve = program
    .command('serve')
    .description(
      'run the server; every setting is an environment variable, and a flag that overrides it',
    )
    .action(async (flags: Record<string, string>) => {
      await (await import('./serve.ts')).serve(edge, byVariable(flags))
    })
  for (const setting of SETTINGS) {
    const fallback = setting.default ? `, default ${setting.default}` : ''
    serve.addOption(
      new Option(
        `${setting.flag} <value>`,
        `${setting.description} (${setting.variable}${fallback})`,
      ),
    )
  }

  program
    .command('migrate')
    .description('bring the database of DATABASE_URL to the schema of this version')
    .option('--database-url <url>', 'instead of DATABASE_URL')
    .action(async (flags: Record<string, string>) => {
      await (await import('./migrate.ts')).migrateDatabase(edge, byVariable(flags))
    })

  addDoctor(program, edge)

  program
    .command('token')
    .description('sign a token for trying out, with the secret in AUTH_JWT_SECRET')
    .option('--sub <name>', 'who it is for', 'operator')
    .option('--sites <list>', 'sites that it may see, comma separated; * = all')
    .option('--connections <list>', 'connections that it may see, comma separated; * = all')
    .option('--scope <list>', 'what it may do: view, control, manage, comma separated', 'view')
    .option('--expires <duration>', 'for how long it is valid, like 30m, 12h or 7d', '1h')
    .action(async (options: { sub: string; scope: string; expires: string }) => {
      await (await import('./token.ts')).token(edge, options)
    })

  program
    .command('demo')
    .description('run everything at once: Postgres, a broker, a simulated fleet, a portal page')
    .option('--fresh', 'forget the data of former runs', false)
    .option('--port <port>', 'port of the page (PORT, default 8001)')
    .option('--folder <folder>', 'where Postgres keeps its data (default .demo)')
    .option('--no-open', 'do not open the page in a browser')
    .action(async (options: { fresh: boolean; port?: string; folder?: string; open: boolean }) => {
      await (await import('./demo.ts')).demo(edge, options)
    })

  return program
}

function addDoctor(program: Command, edge: Edge): void {
  program
    .command('doctor')
    .description(
      'check the setup, and say what is wrong and what to do; exit code 1 if anything is',
    )
    .option(
      '--adopt',
      'let the connections of this database be supervised, although it is a copy',
      false,
    )
    .option('--json', 'print the findings as JSON', false)
    .option('--database-url <url>', 'instead of DATABASE_URL')
    .option('--listen-database-url <url>', 'instead of LISTEN_DATABASE_URL')
    .action(async ({ adopt, json, ...flags }: DoctorFlags) => {
      await (await import('./doctor.ts')).doctor(edge, byVariable(flags), { adopt, json })
    })
}

/** From the names of commander (`databaseUrl`) to those of the variables. */
function byVariable(flags: Readonly<Record<string, string | boolean>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
      String(value),
    ]),
  )
}
