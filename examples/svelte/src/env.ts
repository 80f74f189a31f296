import { defineEnvVars } from '@sveltejs/kit/env'

export const variables = defineEnvVars({
  MQTT_STATUS_URL: { public: true, description: 'the address of mqtt-status' },
})
