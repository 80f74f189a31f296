/** The commands that attach tables of other programs, and their options. */
import type { Command } from 'commander'
import { TABLE } from '../config/settings.ts'
import type { AttachOptions } from './attach.ts'
import type { Edge } from './edge.ts'
import { byVariable, instead } from './program-flags.ts'

const { url, schema } = TABLE.database

export function addAttachments(program: Command, edge: Edge): void {
  addAttach(program, edge)
  addList(program, edge)
  addDetach(program, edge)
}

function addAttach(program: Command, edge: Edge): void {
  const command = program
    .command('attach')
    .description(
      'show the rows of a table of another program as connections; again with other options, change how',
    )
    .option('--table <name>', 'the table, like mqtt_mqttconnection or shop.connections')
    .option('--id <column>', 'the column that identifies a row')
    .option('--site <column>', 'the column with the site, as tokens name it')
    .option('--name <column>', 'the column with the name that cards show')
    .option('--status <column>', 'the column with the status')
    .option(
      '--map <word=status>',
      'what a word of the status column means, like pending=connecting; may be repeated',
      collect,
      [],
    )
    .option(
      '--reason <column>',
      'the column that says why it is so, best with codes of docs/mqtt.md',
    )
    .option('--detail <column>', 'the column with more about it, for tokens with the scope control')
    .option('--last-message <column>', 'the column with the time of the last message')
    .option(
      '--label <label=column>',
      'a label of the connection, like region=area; may be repeated',
      collect,
      [],
    )
    .option('--where <condition>', 'mirror only these rows, like "deleted_at is null"')
    .option(
      '--join <table alias on condition>',
      'a table for more columns, like "sites s on s.id = t.site_id", then --name s.title; may be repeated',
      collect,
      [],
    )
    .option(
      '--prefix <text>',
      'what ids of the connections begin with (default: the table and a hyphen)',
    )
  addClicks(command)
    .option('--dry-run', 'print what would be done, and its SQL; change nothing', false)
    .option('--yes', 'do not ask on a terminal', false)
    .addOption(instead(url))
    .addOption(instead(schema))
    .action(async (options: AttachOptions) => {
      await (await import('./attach.ts')).attachTable(edge, byVariable(options), options)
    })
}

/** Where a click is written. */
function addClicks(command: Command): Command {
  return command
    .option(
      '--desired <column>',
      'the column with the wish, from which your program reads what is wanted; a click is written into it',
    )
    .option(
      '--desired-map <wish=word>',
      'what the column has for each wish: connected=true, and disconnected=false',
      collect,
      [],
    )
    .option(
      '--command-table <name>',
      'a table into which each click is written as a row (columns: docs/attach.md)',
    )
}

function addList(program: Command, edge: Edge): void {
  program
    .command('attachments')
    .description('print which tables are attached, and how their mirrors fare')
    .option('--json', 'print them as JSON', false)
    .addOption(instead(url))
    .addOption(instead(schema))
    .action(async ({ json, ...flags }: { json: boolean }) => {
      await (await import('./attachments.ts')).listAttachments(edge, byVariable(flags), json)
    })
}

function addDetach(program: Command, edge: Edge): void {
  program
    .command('detach <table>')
    .description('remove the mirror of a table, with everything that attach has created')
    .addOption(instead(url))
    .addOption(instead(schema))
    .action(async (table: string, flags: object) => {
      await (await import('./attachments.ts')).detachTable(edge, byVariable(flags), table)
    })
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
