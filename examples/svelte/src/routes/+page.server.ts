import { lastKnown } from '#lib/mqtt-status.server.ts'
import type { PageServerLoad } from './$types'

const plants = [
  { id: 'plant-7', name: 'Impianto 7' },
  { id: 'cascina-rossi', name: 'Cascina Rossi' },
  { id: 'marghera-a', name: 'Porto Marghera, linea A' },
]

export const load: PageServerLoad = async () => {
  const rows = await lastKnown(plants.map(({ id }) => id))
  return {
    plants: plants.map((plant) => ({ ...plant, status: rows.get(plant.id)?.status ?? 'unknown' })),
  }
}
