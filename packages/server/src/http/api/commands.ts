import { ACTIONS } from '@mqtt-status/protocol'
import type { Action, CommandAccepted } from '@mqtt-status/protocol'
import { Hono } from 'hono'
import type { CommandResult } from '../../db/connections/commands.ts'
import { StatusError } from '../../errors.ts'
import { notFound, requireCapability } from './capability.ts'
import type { AppEnv, HttpContext } from '../context.ts'

const KEY_LENGTH = 200

/** A command edits `desired` and answers at once; its result arrives as a change of the row. */
export function commandRoutes({ hub, command, commandTimeoutMs }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })
  for (const action of ACTIONS) {
    app.post(`/api/v1/connections/:id/${action}`, async (c) => {
      const id = c.req.param('id')
      const { scope } = c.var
      const row = await hub.get(scope, id)
      if (row === null) throw notFound()
      requireCapability(scope, 'control')
      const idempotencyKey = toKey(c.req.header('idempotency-key'))
      const result = await command({
        ...{ id, siteId: row.siteId, action },
        ...{ actor: scope.subject, idempotencyKey },
      })
      const { connection, generation } = accepted(result, action)
      const body: CommandAccepted = {
        connection: hub.project(connection, scope),
        generation,
        timeoutMs: commandTimeoutMs,
      }
      return c.json(body, 202)
    })
  }
  return app
}

function accepted(
  result: CommandResult,
  action: Action,
): Extract<CommandResult, { kind: 'accepted' }> {
  switch (result.kind) {
    case 'accepted':
      return result
    case 'not_found':
      throw notFound()
    case 'not_controllable':
      throw new StatusError(
        'not_controllable',
        'The server only observes this connection, and the program that writes its row takes no commands.',
      )
    case 'no_reconnect':
      throw new StatusError(
        'no_reconnect',
        `The connection mirrors a row of the table ${result.table}, in which a reconnect can not be written. Disconnect and connect it, or attach the table with --command-table.`,
      )
    case 'idempotency_conflict':
      throw new StatusError(
        'idempotency_conflict',
        `This Idempotency-Key was used for another action than ${action}; use a new one.`,
      )
  }
}

function toKey(header: string | undefined): string | null {
  if (header === undefined || header === '') return null
  if (header.length <= KEY_LENGTH) return header
  throw new StatusError(
    'bad_request',
    `Idempotency-Key: at most ${KEY_LENGTH} characters are expected.`,
  )
}
