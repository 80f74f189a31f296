/** One row of the table of settings, and what is derived from a group of rows. */
import type * as v from 'valibot'

export interface Row<T> {
  /** As an operator writes it in the environment; absent where the variable has no default. */
  readonly default?: string
  /** What the server does where the variable has neither a value nor a default, in a few words. */
  readonly otherwise?: string
  /** What the number counts. */
  readonly unit?: 'ms' | 'days'
  /** Parses the text, or `undefined` where the variable has neither a value nor a default. */
  readonly schema: v.GenericSchema<unknown, T>
  /** One sentence without its full stop, for `--help` and docs/operations.md. */
  readonly help: string
  /** No message repeats the value of a secret, not even a wrong one. */
  readonly secret?: boolean
  /** The value is the path of a file; the file contains the value of this variable. */
  readonly fileOf?: string
}

export class Setting<T> {
  readonly variable: string
  readonly default: string | undefined
  readonly otherwise: string | undefined
  readonly unit: 'ms' | 'days' | undefined
  readonly schema: v.GenericSchema<unknown, T>
  readonly help: string
  readonly secret: boolean
  readonly fileOf: string | undefined

  constructor(variable: string, row: Row<T>) {
    this.variable = variable
    this.default = row.default
    this.otherwise = row.otherwise
    this.unit = row.unit
    this.schema = row.schema
    this.help = row.help
    this.secret = row.secret ?? false
    this.fileOf = row.fileOf
  }

  /** The flag of `serve` that overrides the variable. */
  get flag(): string {
    return `--${this.variable.toLowerCase().replaceAll('_', '-')}`
  }

  /** The text of `serve --help`. */
  get description(): string {
    const unit = this.unit === undefined ? '' : `, in ${this.unit}`
    const otherwise = this.otherwise === undefined ? '' : ` (default: ${this.otherwise})`
    const fallback = this.default ? `, default ${this.default}` : ''
    return `${this.help}${unit}${otherwise} (${this.variable}${fallback})`
  }
}

/** The parsed values of a group of rows, in the shape of the group. */
export type ValuesOf<Group> = {
  readonly [Name in keyof Group]: Group[Name] extends Setting<infer T> ? T : ValuesOf<Group[Name]>
}

/** All rows of a group and of the groups in it, in their order. */
export function rowsOf(group: object): readonly Setting<unknown>[] {
  return Object.values(group as Readonly<Record<string, object>>).flatMap((member) =>
    member instanceof Setting ? [member as Setting<unknown>] : rowsOf(member),
  )
}

/** Replaces each row of a group by a value. */
export function mapRows<Group extends object>(
  group: Group,
  valueOf: (row: Setting<unknown>) => unknown,
): ValuesOf<Group> {
  const values = Object.entries(group as Readonly<Record<string, object>>).map(([name, member]) => [
    name,
    member instanceof Setting ? valueOf(member as Setting<unknown>) : mapRows(member, valueOf),
  ])
  return Object.fromEntries(values) as ValuesOf<Group>
}
