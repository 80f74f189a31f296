/** The single file: all elements, and the server that it was loaded from as the one to ask. */
import { rememberBundle } from './index.ts'
import './define.ts'

rememberBundle(import.meta.url)

export * from './index.ts'
