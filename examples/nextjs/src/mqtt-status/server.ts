/** The address of mqtt-status, from next.config.ts. */
export const SERVER: string = process.env.MQTT_STATUS_URL ?? ''
/** The route of this app that signs tokens. */
export const TOKEN_SRC = '/mqtt-token'
