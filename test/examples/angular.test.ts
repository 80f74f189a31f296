import { testExample } from './spec.ts'

testExample('angular')
