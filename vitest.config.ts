import { defineConfig } from 'vitest/config'
import { findPython } from './scripts/examples/python.ts'

const SITES = ['test/packages/astro.test.ts', 'test/packages/nuxt.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/house/*.test.ts'],
          exclude: ['packages/widgets/src/{elements,controllers}/**'],
          testTimeout: 90_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['packages/*/test/**/*.test.ts', 'test/client/*.test.ts'],
          exclude: ['packages/widgets/test/browser/**', 'test/client/*.soak.test.ts'],
          // Most of the time these tests wait for timers, brokers and Postgres, so two files run side by side on any machine.
          maxWorkers: 2,
          globalSetup: ['test/postgres-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Needs programs of the system: reverse proxies, a pooler, other languages. `pnpm test system` runs it.
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/postgres-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Half a minute of faults a seed, on real timers: `RUNS=20 pnpm soak:client`.
        test: {
          name: 'soak',
          include: ['test/client/*.soak.test.ts'],
          globalSetup: ['test/postgres-setup.ts'],
          hookTimeout: 60_000,
        },
      },
      {
        // What a stranger gets: the packed packages, installed outside of this workspace.
        test: {
          name: 'packages',
          include: ['test/packages/**/*.test.ts'],
          exclude: SITES,
          globalSetup: ['test/packages/setup.ts', 'test/postgres-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        // Installs and builds the documented sites of Nuxt and Astro, some 900 npm packages: `pnpm test sites`.
        test: {
          name: 'sites',
          include: SITES,
          globalSetup: ['test/packages/setup.ts', 'test/postgres-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        // Each file installs, builds and starts an example: one installs while the other is in the browser.
        test: {
          name: 'examples',
          include: ['test/examples/*.test.ts'],
          // A fresh machine lacks Django; CI installs it.
          exclude: [
            'test/examples/faults.test.ts',
            ...(findPython() === null ? ['test/examples/django.test.ts'] : []),
          ],
          globalSetup: ['test/examples/setup.ts', 'test/postgres-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
        },
      },
      {
        // Breaks each check of the examples on purpose, and waits for what never comes: `pnpm test example-checks`.
        test: {
          name: 'example-checks',
          include: ['test/examples/faults.test.ts'],
          globalSetup: ['test/examples/setup.ts', 'test/postgres-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/postgres-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
