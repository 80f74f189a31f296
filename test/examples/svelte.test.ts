import { testExample } from './spec.ts'

testExample('svelte')
