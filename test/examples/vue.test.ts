import { testExample } from './spec.ts'

testExample('vue')
