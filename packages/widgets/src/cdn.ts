/** The single file: all elements and languages. The server that it was loaded from is the elements' default server. */
import { installWarnings } from './development/console.ts'
import { rememberBundle } from './page/settings.ts'
import { registerLocale } from './index.ts'
import { it } from './locales/it.ts'
import './define.ts'

registerLocale(it)
rememberBundle(import.meta.url)
installWarnings()

export * from './index.ts'
