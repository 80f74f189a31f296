/** What the feed has told so far: the rows, by id and by site, and the places where rows were and are no more. */
import type { Connection } from '@mqtt-status/protocol'
/** What a reader of the database tells; see the change feed for the meaning of each field. */
export interface HubRead {
  readonly kind: 'snapshot' | 'changes'
  readonly epoch: string
  readonly mark: bigint
  readonly floor: bigint
  readonly rows: readonly {
    readonly connection: Connection
    readonly changed: bigint
  }[]
  readonly tombstones: readonly Tombstone[]
}
export interface Tombstone {
  readonly id: string
  readonly siteId: string
  readonly revision: number
  readonly changed: bigint
}
/** A row, encoded at most once for those who may control it and once for those who may only look. */
export declare class Row {
  #private
  readonly connection: Connection
  readonly changed: bigint
  constructor(connection: Connection, changed: bigint)
  json(control: boolean): string
}
/** What of a row may be seen: viewers learn neither the broker's text nor who gave the command. */
export declare function project(connection: Connection, control: boolean): Connection
/** The ids that a read has touched, each with all sites it is or was at. */
export type Touched = ReadonlyMap<string, ReadonlySet<string>>
export declare class Mirror {
  #private
  epoch: string
  mark: bigint
  floor: bigint
  readonly rows: Map<string, Row>
  /** The ids of a site. */
  at(siteId: string): ReadonlySet<string>
  /** Where a row was and is no more, by site. */
  tombstones(id: string): Iterable<Tombstone>
  /** All tombstones. */
  buried(): Iterable<Tombstone>
  apply(read: HubRead): Touched
}
