import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const address = { host: '127.0.0.1', port: Number(process.env.PORT ?? 5173), strictPort: true }

export default defineConfig({
  plugins: [react()],
  // `import.meta.env.MQTT_STATUS_URL`: from the environment, or else from the file `.env`.
  envPrefix: 'MQTT_STATUS_',
  server: address,
  preview: address,
})
