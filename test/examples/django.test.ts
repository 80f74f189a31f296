import { testExample } from './spec.ts'

testExample('django')
