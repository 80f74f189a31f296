/** What bundlers in development mode are given: the same, and the element says what is wrong with it. */
import { installOverlay } from '../development/overlay.ts'

installOverlay()

export * from './provider.ts'
