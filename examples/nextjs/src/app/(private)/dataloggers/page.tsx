import { DataloggerCard } from '@/components/datalogger-card'
import { lastKnown } from '@/mqtt-status/last-known'
import { DATALOGGERS } from '@/portal/dataloggers'

/** Dataloggers as components of this app, which read the cache of React Query. */
export default async function DataloggersPage() {
  const rows = await lastKnown(DATALOGGERS)
  return (
    <>
      <h1>Dataloggers</h1>
      <section>
        {DATALOGGERS.map(({ id, name }) => (
          <DataloggerCard key={id} id={id} name={name} known={rows.get(id) ?? null} />
        ))}
      </section>
    </>
  )
}
