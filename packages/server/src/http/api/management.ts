import { Hono } from 'hono'
import type { Scope } from '../../auth/scope.ts'
import { StatusError } from '../../errors.ts'
import { notFound, requireCapability } from './capability.ts'
import type { AppEnv, HttpContext } from '../context.ts'
import type { Editor } from '../../model/editor.ts'
import { parseJson } from '../messages.ts'

const PAGE = { fallback: 100, max: 1_000 }

/** Create, read, change and delete connections, and read the audit; with the capability `manage`. Replies have no secrets. */
export function managementRoutes({ hub, management, basePath }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })

  app.post('/api/v1/connections', async (c) => {
    const { scope } = c.var
    requireCapability(scope, 'manage')
    const created = await management.create(editorOf(scope), parseJson(await c.req.text()))
    const location = `${basePath}api/v1/connections/${created.id}`
    return c.json(created, 201, { location })
  })

  app.get('/api/v1/connections/:id/settings', async (c) => {
    const { id, editor } = await admit(c.var.scope, c.req.param('id'))
    return c.json(await management.settings(editor, id))
  })

  app.patch('/api/v1/connections/:id', async (c) => {
    const { id, editor } = await admit(c.var.scope, c.req.param('id'))
    return c.json(await management.change(editor, id, parseJson(await c.req.text())))
  })

  app.delete('/api/v1/connections/:id', async (c) => {
    const { id, editor } = await admit(c.var.scope, c.req.param('id'))
    await management.remove(editor, id)
    return c.body(null, 204)
  })

  app.get('/api/v1/audit', async (c) => {
    const { scope } = c.var
    requireCapability(scope, 'manage')
    const { limit, before, connection } = c.req.query()
    const count = toWhole('limit', limit, PAGE.max) ?? PAGE.fallback
    const below = toWhole('before', before, Number.MAX_SAFE_INTEGER)
    const { sites, connections } = scope
    const entries = await management.audit({
      ...{ sites, connections, limit: count },
      ...(below === null ? {} : { before: below }),
      ...(connection === undefined ? {} : { connectionId: toId(connection) }),
    })
    const next = entries.length === count ? (entries.at(-1)?.id ?? null) : null
    return c.json({ entries, next })
  })

  /** Answers 404 for a row that the token does not cover before it checks capabilities, which would answer 403. */
  async function admit(scope: Scope, id: string): Promise<{ id: string; editor: Editor }> {
    if ((await hub.get(scope, id)) === null) throw notFound()
    requireCapability(scope, 'manage')
    return { id, editor: editorOf(scope) }
  }

  return app
}

/** The caller, as management needs it. */
export function editorOf(scope: Scope): Editor {
  return {
    actor: scope.subject,
    everywhere: scope.sites === '*' || scope.connections === '*',
    permits: (id, siteId) => scope.permits(id, siteId),
  }
}

function toId(text: string): string {
  if (/^[A-Za-z0-9._~-]{1,128}$/.test(text)) return text
  throw new StatusError('bad_request', 'connection: expected the id of a connection.')
}

function toWhole(name: string, text: string | undefined, max: number): number | null {
  if (text === undefined) return null
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value
  throw new StatusError(
    'bad_request',
    `${name}: found "${text.slice(0, 40)}", expected a whole number from 1 to ${max}.`,
  )
}
