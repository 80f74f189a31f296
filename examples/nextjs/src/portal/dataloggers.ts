export interface Datalogger {
  /** The id of its connection. */
  readonly id: string
  readonly name: string
}

/** A real portal reads them from its database. */
export const DATALOGGERS: readonly Datalogger[] = [
  { id: 'plant-7', name: 'Impianto 7' },
  { id: 'cascina-rossi', name: 'Cascina Rossi' },
  { id: 'marghera-a', name: 'Porto Marghera, linea A' },
]
