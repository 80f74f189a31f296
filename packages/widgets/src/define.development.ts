/** The entry for bundlers in development mode: every element also shows mistakes in its use. */
import { installOverlay } from './development/overlay.ts'

installOverlay()

export * from './define.ts'
