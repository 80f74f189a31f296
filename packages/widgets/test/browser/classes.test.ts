import { expect } from '@open-wc/testing'
import { LitElement } from 'lit'
import * as widgets from '../../src/define.ts'

it('every element is at most three classes of this package deep', () => {
  const elements = Object.values(widgets)
  expect(elements.length).to.equal(5)
  for (const element of elements) {
    const classes: string[] = []
    for (let at: object | null = element; at && at !== LitElement; at = Object.getPrototypeOf(at))
      classes.push((at as { name: string }).name)
    expect(classes.length, classes.join(' → ')).to.be.within(1, 3)
  }
})
