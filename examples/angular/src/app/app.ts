import { Component, CUSTOM_ELEMENTS_SCHEMA } from '@angular/core'
import { RouterLink, RouterOutlet } from '@angular/router'

@Component({
  selector: 'app-root',
  imports: [RouterLink, RouterOutlet],
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <!-- With tokens: token-src="/mqtt-token", an address of your own backend. -->
    <mqtt-status-provider [src]="src">
      <nav>
        <a routerLink="/">Plants</a>
        <a routerLink="/about">About</a>
      </nav>
      <main><router-outlet /></main>
    </mqtt-status-provider>
  `,
})
export class App {
  protected readonly src = MQTT_STATUS_URL
}
