/** The address of mqtt-status: `ng build --define` replaces it. */
declare const MQTT_STATUS_URL: string
