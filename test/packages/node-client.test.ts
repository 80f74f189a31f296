/** The program of docs/frameworks.md without elements, run by Node with the packed client. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { expect, inject, test } from 'vitest'
import { ServerProcess } from '../e2e/world.ts'
import { block } from '../samples/documented.ts'
import { Project } from './project.ts'

test('it prints each status, and ends at Ctrl-C', async () => {
  const database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name, managed, status)
    values ('plant-7', 's1', 'Impianto 7', false, 'connected')`
  const server = await ServerProcess.start({ DATABASE_URL: database.url, SUPERVISOR: 'off' })
  const project = new Project(inject('empty'))
  const program = block('docs/frameworks.md', 'ts', 'Node')
  project.write({
    'src/watch-plant.ts': program.replace('https://status.example.com', server.url),
  })
  const child = spawn(process.execPath, ['src/watch-plant.ts'], {
    cwd: project.folder,
    env: { STATUS_TOKEN: 'a server without authentication accepts any' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  try {
    for (const status of ['connected', 'failed', 'connected']) {
      await database.sql`update connections set status = ${status}`
      await until(() => output.trim().endsWith(status), { what: `"${status}" to be printed` })
    }
    const exit = once(child, 'exit')
    child.kill('SIGINT')
    expect(await exit).toEqual([0, null])
    expect(output).not.toMatch(/error|warning/i)
  } finally {
    child.kill('SIGKILL')
    await server.end('SIGTERM')
    await database.drop()
  }
})
