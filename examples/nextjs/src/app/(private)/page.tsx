import { MqttStatusCard, MqttStatusProvider } from '@mqtt-status/widgets/react'
import { lastKnown } from '@/mqtt-status/last-known'
import { SERVER, TOKEN_SRC } from '@/mqtt-status/server'
import { DATALOGGERS } from '@/portal/dataloggers'

/** Dataloggers as elements of the package. They use the client of this app, with its WebSocket. */
export default async function ElementsPage() {
  const rows = await lastKnown(DATALOGGERS)
  return (
    <MqttStatusProvider src={SERVER} tokenSrc={TOKEN_SRC}>
      <h1>Elements</h1>
      <section>
        {DATALOGGERS.map(({ id, name }) => (
          // The browser shows the text until the script has loaded. The slot is none of the element's: it hides the status then.
          <MqttStatusCard key={id} connectionId={id} controls="show">
            {name}
            <span slot="before">: {rows.get(id)?.status ?? 'unknown'}</span>
          </MqttStatusCard>
        ))}
      </section>
    </MqttStatusProvider>
  )
}
