import { provideBrowserGlobalErrorListeners } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { provideRouter } from '@angular/router'
import '@mqtt-status/widgets/define'
import { About } from './app/about'
import { App } from './app/app'
import { Home } from './app/home'

bootstrapApplication(App, {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideRouter([
      { path: '', component: Home, title: 'Plants' },
      { path: 'about', component: About, title: 'About' },
    ]),
  ],
}).catch((error: unknown) => console.error(error))
