import { testSite } from './site.ts'

testSite({
  name: 'nuxt',
  heading: 'Nuxt',
  build: ['nuxt', 'build'],
  server: '.output/server/index.mjs',
})
