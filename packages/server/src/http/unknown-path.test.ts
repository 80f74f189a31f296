import { expect, test } from 'vitest'
import { explainUnknownPath } from './unknown-path.ts'

test.each([
  '/widgets/mqtt-status.js',
  '/api/v1/connections',
  '/ws/status',
  '/healthz',
  '/mqtt-statusx/healthz',
  '/mqtt/mqtt-status/healthz',
  '/',
])('a path outside of the base path, such as %s, is explained by BASE_PATH', (path) => {
  expect(explainUnknownPath(path, '/mqtt-status/')).toMatch(
    /^There is nothing at this path\. .* below \/mqtt-status\/ only, because BASE_PATH .* pass the whole path on\.$/,
  )
})

test.each([
  ['/mqtt-status/widgets/mqtt-status.js', '/'],
  ['/mqtt-status/api/v1/connections/plant-7', '/'],
  ['/deep/er/ws/status', '/'],
  ['/portal/mqtt-status/healthz', '/portal/'],
])('an endpoint behind a prefix, %s below %s, is explained by BASE_PATH', (path, basePath) => {
  expect(explainUnknownPath(path, basePath)).toMatch(/Let BASE_PATH name the whole prefix/)
})

test.each([
  ['/nowhere', '/'],
  ['/mqtt-status/nowhere', '/mqtt-status/'],
  ['/mqtt-status', '/mqtt-status/'],
  ['/api/v1/nowhere', '/'],
  ['/mqtt-status/ws/status/x', '/mqtt-status/'],
])('any other path, %s below %s, gets no cause that would mislead', (path, basePath) => {
  expect(explainUnknownPath(path, basePath)).toBe('There is nothing at this path.')
})
