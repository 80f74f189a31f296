import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const address = { host: '127.0.0.1', port: Number(process.env.PORT ?? 5173), strictPort: true }

export default defineConfig({
  plugins: [
    vue({
      // Vue renders these tags as elements and does not look for components of that name.
      template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('mqtt-status-') } },
    }),
  ],
  // `import.meta.env.MQTT_STATUS_URL`: from the environment, or else from the file `.env`.
  envPrefix: 'MQTT_STATUS_',
  server: address,
  preview: address,
})
