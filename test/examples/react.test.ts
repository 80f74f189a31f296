import { testExample, testStrictMode } from './spec.ts'

testExample('react')
testStrictMode('react', { '/': 'element' })
