/** What comes in at the doors, checked before anything is done with it. */
import type { ClientMessage, WatchFilter } from '@mqtt-status/protocol'
/**
 * A message of a client; `null` for a type that this version does not know, which is ignored.
 *
 * @throws StatusError `bad_request` for malformed JSON and for a known type with bad fields
 */
export declare function parseMessage(text: string): ClientMessage | null
export type WatchBody = WatchFilter & {
  readonly cursor?: string
}
/** The body of a query or of a stream: a watch without its type. */
export declare function parseWatchBody(text: string): WatchBody
/** The same from the query string: lists are separated by commas. */
export declare function parseWatchQuery(query: Readonly<Record<string, string>>): WatchBody
