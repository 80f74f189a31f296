interface ImportMetaEnv {
  readonly MQTT_STATUS_URL: string
}
