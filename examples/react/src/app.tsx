import { MqttStatusProvider } from '@mqtt-status/widgets/react'
import { Link, Route, Routes } from 'react-router'
import { AboutPage } from './pages/about-page'
import { HomePage } from './pages/home-page'

export function App() {
  return (
    // With tokens: tokenSrc="/mqtt-token", an address of your own backend.
    <MqttStatusProvider src={import.meta.env.MQTT_STATUS_URL}>
      <nav>
        <Link to="/">Plants</Link> <Link to="/about">About</Link>
      </nav>
      <main>
        <Routes>
          <Route path="/" element={<HomePage />} />
          <Route path="/about" element={<AboutPage />} />
        </Routes>
      </main>
    </MqttStatusProvider>
  )
}
