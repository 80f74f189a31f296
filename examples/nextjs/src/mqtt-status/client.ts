import { clientFor } from '@mqtt-status/widgets/client'
import { SERVER, TOKEN_SRC } from './server'

/** The one client of the page. It opens its WebSocket when the first component subscribes, so a server that renders opens none. */
export const client = clientFor({ src: SERVER, tokenSrc: TOKEN_SRC })
