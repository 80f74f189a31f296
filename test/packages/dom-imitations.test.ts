/** A portal's own tests: its vitest runs components in jsdom or happy-dom, which know little of what elements use. */
import { expect, inject, test } from 'vitest'
import { Project } from './project.ts'

const PORTAL_TEST = `
import { expect, test, vi } from 'vitest'
import * as classes from '@mqtt-status/widgets/define'

const TAGS = ['card', 'badge', 'control', 'live', 'provider']
const errors: unknown[] = []
addEventListener('error', ({ error }) => errors.push(error))
process.on('unhandledRejection', (error) => errors.push(error))
const logged = vi.spyOn(console, 'error')

test.each(TAGS)('%s is made, shown, changed, moved and taken away', async (tag) => {
  const name = 'mqtt-status-' + tag
  const element = document.createElement(name) as HTMLElement & { updateComplete: Promise<boolean> }
  expect(customElements.get(name)).toBe(element.constructor)
  element.textContent = 'Plant 7'
  element.setAttribute('connection-id', 'plant-7')
  element.setAttribute('src', 'http://status.test/')
  document.body.append(element)
  await element.updateComplete
  expect(element.shadowRoot?.childNodes.length).toBeGreaterThan(0)
  element.setAttribute('lang', 'it')
  await element.updateComplete
  element.remove()
  document.body.append(element)
  await element.updateComplete
  element.remove()
  expect(errors).toEqual([])
  expect(logged).not.toHaveBeenCalled()
})

test.each(Object.entries(classes))('%s can be constructed', (_, Class) => {
  expect(new (Class as CustomElementConstructor)()).toBeInstanceOf(HTMLElement)
})
`

test.each(['jsdom', 'happy-dom'])('the elements live in %s', async (environment) => {
  const project = new Project(inject('stranger'))
  const folder = `imitation-${environment}`
  project.write({ [`${folder}/portal.test.ts`]: PORTAL_TEST })
  const { ok, output } = await project.run(
    'vitest',
    'run',
    `--environment=${environment}`,
    `${folder}/portal.test.ts`,
  )
  expect(ok, output).toBe(true)
  expect(output).toMatch(/Tests .*\d+ passed/)
})
