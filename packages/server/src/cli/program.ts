/** The commands and their options. The program loads a command when it is called, so that `--help` does not wait for all. */
import { Command, Option } from 'commander'
import { SETTINGS, TABLE } from '../config/settings.ts'
import { addAttachments } from './program-attach.ts'
import type { Edge } from './edge.ts'
import { byVariable, instead } from './program-flags.ts'

interface DoctorFlags extends Record<string, string | boolean> {
  readonly adopt: boolean
  readonly json: boolean
}

interface DatabaseFlags {
  readonly databaseUrl?: string
  readonly databaseSchema?: string
}

interface ImportOptions extends DatabaseFlags {
  readonly format?: string
  readonly update: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

export function createProgram(edge: Edge): Command {
  const { port } = TABLE
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
      listenEarly(edge)
      await (await import('./serve.ts')).serve(edge, byVariable(flags))
    })
  for (const { flag, description } of SETTINGS)
    serve.addOption(new Option(`${flag} <value>`, description))

  program
    .command('migrate')
    .description('bring the database of DATABASE_URL to the schema of this version')
    .addOption(instead(TABLE.database.url))
    .addOption(instead(TABLE.database.schema))
    .action(async (flags: Record<string, string>) => {
      await (await import('./migrate.ts')).migrateDatabase(edge, byVariable(flags))
    })

  addDoctor(program, edge)
  addConnections(program, edge)
  addSecrets(program, edge)
  addAttachments(program, edge)

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
    .description(
      'run everything at once: Postgres (or the database of DATABASE_URL), a broker, a simulated fleet, a portal page',
    )
    .option('--fresh', 'forget the data of former runs', false)
    .option('--port <port>', `port of the page (${port.variable}, default ${port.default ?? ''})`)
    .option('--folder <folder>', 'where Postgres keeps its data (default .demo)')
    .option('--no-open', 'do not open the page in a browser')
    .action(async (options: { fresh: boolean; port?: string; folder?: string; open: boolean }) => {
      listenEarly(edge)
      await (await import('./demo.ts')).demo(edge, options)
    })

  addVersion(program, edge.version)
  return program
}

/** Accepts `--version` behind any command, where commander expects it before the command. */
function addVersion(program: Command, version: string): void {
  for (const command of program.commands) {
    command.version(version, '--version')
    addVersion(command, version)
  }
}

/** Process 1 of a container receives only signals that it has handlers for, so the handlers are installed before the server loads. */
function listenEarly(edge: Edge): void {
  edge.signal()
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
    .addOption(instead(TABLE.database.url))
    .addOption(instead(TABLE.database.schema))
    .addOption(instead(TABLE.database.listenUrl))
    .action(async ({ adopt, json, ...flags }: DoctorFlags) => {
      await (await import('./doctor.ts')).doctor(edge, byVariable(flags), { adopt, json })
    })
}

function addConnections(program: Command, edge: Edge): void {
  const connections = program
    .command('connections')
    .description('list, import and export connections, with the database of DATABASE_URL')
  connections
    .command('list')
    .description('print what there is, and how it is')
    .option('--json', 'print the rows as JSON', false)
    .addOption(instead(TABLE.database.url))
    .addOption(instead(TABLE.database.schema))
    .action(async ({ json, ...flags }: DatabaseFlags & { json: boolean }) => {
      await (await import('./connections.ts')).list(edge, byVariable(flags), json)
    })
  connections
    .command('import <file>')
    .description(
      'create what a CSV or JSON file lists: all of it or, if anything is wrong, nothing; exit code 1 then',
    )
    .option('--dry-run', 'check everything, write nothing', false)
    .option('--update', 'change connections that exist; what a row does not name stays', false)
    .option('--format <format>', 'csv or json (default: by the ending of the name)')
    .option('--json', 'print the result as JSON', false)
    .addOption(instead(TABLE.database.url))
    .addOption(instead(TABLE.database.schema))
    .action(async (file: string, { databaseUrl, databaseSchema, ...flags }: ImportOptions) => {
      const database = byVariable({ databaseUrl, databaseSchema })
      await (await import('./connections.ts')).importFile(edge, file, { ...flags, database })
    })
  connections
    .command('export')
    .description('print the settings of all connections, without secrets, to be imported again')
    .option('--format <format>', 'csv or json', 'json')
    .addOption(instead(TABLE.database.url))
    .addOption(instead(TABLE.database.schema))
    .action(async ({ format, ...flags }: DatabaseFlags & { format: string }) => {
      await (await import('./connections.ts')).exportAll(edge, byVariable(flags), format)
    })
}

function addSecrets(program: Command, edge: Edge): void {
  const secrets = program
    .command('secrets')
    .description('keys that the passwords of connections are encrypted with')
  secrets
    .command('generate-key')
    .description('print a new key for MQTT_SECRET_KEYS')
    .option('--id <name>', 'its name', `k${new Date().toISOString().slice(0, 10)}`)
    .action(async ({ id }: { id: string }) => {
      ;(await import('./secrets.ts')).generateKey(edge, id)
    })
  secrets
    .command('rotate')
    .description('encrypt all secrets with the first key of MQTT_SECRET_KEYS; may be run again')
    .addOption(instead(TABLE.database.url))
    .addOption(instead(TABLE.database.schema))
    .action(async (flags: DatabaseFlags) => {
      await (await import('./secrets.ts')).rotate(edge, byVariable(flags))
    })
}
