import { Component } from '@angular/core'

@Component({
  selector: 'app-about',
  template: `
    <h1>About</h1>
    <p>This page has no cards, so it opens no WebSocket.</p>
  `,
})
export class About {}
