/** What bundlers in development mode are given: the same, and every element says what is wrong with it. */
import { installOverlay } from './development/overlay.ts'

installOverlay()

export * from './define.ts'
