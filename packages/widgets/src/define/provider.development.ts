/** The entry for bundlers in development mode: the element also shows mistakes in its use. */
import { installOverlay } from '../development/overlay.ts'

installOverlay()

export * from './provider.ts'
