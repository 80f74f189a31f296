import type { NextConfig } from 'next'

const config: NextConfig = {
  // Next.js writes the value of build time into the scripts of the pages.
  env: { MQTT_STATUS_URL: process.env.MQTT_STATUS_URL ?? 'http://127.0.0.1:8001' },
  // This folder is the whole project, whatever lockfiles the folders above it have.
  turbopack: { root: import.meta.dirname },
}

export default config
