import { testSite } from './site.ts'

testSite({
  name: 'astro',
  heading: 'Astro',
  build: ['astro', 'build'],
  server: 'dist/server/entry.mjs',
})
