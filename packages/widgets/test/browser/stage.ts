/** The set-up of a test page: elements with a fake server behind them, and what a test reads of them. */
import type { Connection } from '@mqtt-status/protocol'
import { fixture, waitUntil } from '@open-wc/testing'
import type { TemplateResult } from 'lit'
import type { StatusClient } from '../../src/index.ts'
import { row } from './fake-server.ts'
import type { FakeServer } from './fake-server.ts'

interface Connectable extends HTMLElement {
  client: StatusClient | null | undefined
  readonly updateComplete: Promise<boolean>
}

export async function show<T extends Connectable>(
  server: FakeServer,
  template: TemplateResult,
): Promise<T> {
  const element = await fixture<T>(template)
  // Elements without a surface of their own need a page of their theme behind them.
  const dark = element.getAttribute('theme') === 'dark'
  if (element.parentElement) element.parentElement.style.background = dark ? '#15191e' : '#ffffff'
  element.client = server.client
  await element.updateComplete
  return element
}

export async function shown(element: Element, state: string): Promise<void> {
  await waitUntil(() => element.matches(`:state(${state})`), state, { timeout: 5_000 })
}

/** The text in the shadow root of an element, as one line. */
export function text(element: Element): string {
  return element.shadowRoot?.textContent?.replace(/\s+/g, ' ').trim() ?? ''
}

/** The mistakes that an element of a development build shows. */
export function mistakes(element: Element): string {
  return element.shadowRoot?.querySelector('.mistakes')?.textContent ?? ''
}

export function button(element: Element): HTMLButtonElement {
  const found = element.shadowRoot?.querySelector<HTMLButtonElement>('[part~="control"]')
  if (!found) throw new Error(`No button: ${text(element)}`)
  return found
}

export function part(element: Element, name: string): HTMLElement | null {
  return element.shadowRoot?.querySelector<HTMLElement>(`[part~="${name}"]`) ?? null
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
}

const { fetch: realFetch } = window

afterEach(() => {
  window.fetch = realFetch
})

/** Replaces `fetch` for the rest of the test: commands get this response; `null` = the server is unreachable. */
export function serve(answer: () => Answer | null | Promise<Answer>): Request[] {
  const asked: Request[] = []
  window.fetch = async (input, request) => {
    asked.push(new Request(input, request))
    const given = await answer()
    if (given === null) throw new TypeError('Failed to fetch')
    const { body, ...init } = given
    return new Response(JSON.stringify(body), init)
  }
  return asked
}

export function accepted(
  change: Partial<Connection> = {},
  timeoutMs: number = 15_000,
): { status: number; body: unknown } {
  const connection = row({ revision: 2, ...change })
  return { status: 202, body: { connection, generation: 2, timeoutMs: timeoutMs } }
}

/** Records the announcements of the page as a screen reader gets them: each line that is added to a live region. */
export function listen(): { readonly said: string[]; stop(): void } {
  const said: string[] = []
  const watching = new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      const isRegion = target instanceof Element && target.matches('[role=status], [role=alert]')
      if (isRegion) said.push(...Array.from(addedNodes, ({ textContent }) => textContent ?? ''))
    }
  })
  watching.observe(document.body, { childList: true, subtree: true })
  return {
    said,
    stop: () => {
      watching.disconnect()
      for (const region of document.querySelectorAll('[data-mqtt-status-announcer]'))
        region.remove()
    },
  }
}
