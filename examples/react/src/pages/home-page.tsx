import { MqttStatusCard } from '@mqtt-status/widgets/react'
import { useState } from 'react'
import styles from './home-page.module.css'

const plants = [
  { id: 'plant-7', name: 'Impianto 7' },
  { id: 'cascina-rossi', name: 'Cascina Rossi' },
  { id: 'marghera-a', name: 'Porto Marghera, linea A' },
]

export function HomePage() {
  const [lastChange, setLastChange] = useState('')
  return (
    <>
      <h1>Plants</h1>
      <section className={styles.plants}>
        {plants.map(({ id, name }) => (
          <MqttStatusCard
            key={id}
            connectionId={id}
            controls="show"
            onMqttStatusChange={({ detail: { connection } }) =>
              setLastChange(`${connection.name}: ${connection.status}`)
            }
          >
            {name}
          </MqttStatusCard>
        ))}
      </section>
      {lastChange && <p>Last change: {lastChange}</p>}
    </>
  )
}
