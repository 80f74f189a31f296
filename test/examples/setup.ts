/** Packs the packages once for all examples. */
import type { TestProject } from 'vitest/node'
import { pack } from '../../scripts/examples/packed.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The hash of the packed packages. */
    readonly packed: string
  }
}

export default async function setup(suite: TestProject): Promise<void> {
  suite.provide('packed', await pack())
}
