/** The documented calls of curl, as they stand there, against a real server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, beforeAll, test } from 'vitest'
import { ServerProcess } from '../e2e/world.ts'
import { allBlocks, nameOf } from '../samples/documented.ts'

const calls = allBlocks()
  .filter(({ language, text }) => language === 'sh' && text.includes('curl '))
  .map((block) => ({ name: nameOf(block), text: block.text }))

/** What a call answers, by a word of it. */
const ANSWERS: Readonly<Record<string, RegExp>> = {
  '/api/v1/connections ': /"id":"plant-7".*"hasPassword":true/,
  '/sse/status': /event: snapshot\n/,
  'Authorization: Bearer': /^HTTP\/1\.1 200 /,
}

/** What the samples expect of the shell: the command on its path, and the secret that signs tokens. */
const ENVIRONMENT = {
  PATH: [new URL('../../bin', import.meta.url).pathname, process.env['PATH']].join(':'),
  AUTH_JWT_SECRET: 'a-secret-of-at-least-thirty-two-bytes',
}

let database: TestDatabase
let server: ServerProcess

beforeAll(async () => {
  database = await createDatabase()
  const key = (await ServerProcess.run(['secrets', 'generate-key'], {})).trim()
  server = await ServerProcess.start({
    DATABASE_URL: database.url,
    MQTT_SECRET_KEYS: key,
    SUPERVISOR: 'off',
  })
})

afterAll(async () => {
  await server?.end('SIGTERM')
  await database?.drop()
})

test.each(calls)('$name gets its answer', async ({ text }) => {
  const [, answer] = Object.entries(ANSWERS).find(([word]) => text.includes(word)) ?? []
  if (answer === undefined) throw new Error('The test knows no answer for this call')
  const script = text.replaceAll('http://127.0.0.1:8001', server.url)
  const child = spawn('/bin/bash', ['--norc', '-ec', `exec ${script}`], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const exit = once(child, 'exit')
  try {
    await until(() => answer.test(output), { what: `the answer; it was: ${output}` })
  } finally {
    child.kill()
    await exit
  }
})
