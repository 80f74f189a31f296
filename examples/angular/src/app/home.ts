import { Component, CUSTOM_ELEMENTS_SCHEMA, signal } from '@angular/core'
import type { MqttStatusChangeEvent } from '@mqtt-status/widgets'

@Component({
  selector: 'app-home',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <h1>Plants</h1>
    <section>
      @for (plant of plants; track plant.id) {
        <mqtt-status-card
          [attr.connection-id]="plant.id"
          controls="show"
          (mqtt-status-change)="onChange($event)"
        >
          {{ plant.name }}
        </mqtt-status-card>
      }
    </section>
    @if (lastChange(); as change) {
      <p>Last change: {{ change }}</p>
    }
  `,
})
export class Home {
  protected readonly plants = [
    { id: 'plant-7', name: 'Impianto 7' },
    { id: 'cascina-rossi', name: 'Cascina Rossi' },
    { id: 'marghera-a', name: 'Porto Marghera, linea A' },
  ]
  protected readonly lastChange = signal('')

  protected onChange({ detail: { connection } }: MqttStatusChangeEvent): void {
    this.lastChange.set(`${connection.name}: ${connection.status}`)
  }
}
