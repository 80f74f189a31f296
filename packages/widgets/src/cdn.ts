/** The single file: all elements and languages, and the server that it was loaded from as the one to ask. */
import { installWarnings } from './development/console.ts'
import { rememberBundle } from './page/settings.ts'
import { registerLocale } from './index.ts'
import { it } from './locales/it.ts'
import './define.ts'

registerLocale(it)
rememberBundle(import.meta.url)
installWarnings()

export * from './index.ts'
