import { testExample } from './spec.ts'

testExample('html')
