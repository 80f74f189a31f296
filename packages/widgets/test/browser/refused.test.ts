/** What elements say that the server has no room for, although the page is live. */
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { shown, text } from './stage.ts'
import { row, Wire } from './wire.ts'

let wire: Wire

afterEach(() => {
  wire.client.close()
})

for (const [lang, words, loading] of [
  ['en', 'Too many connections on this page', 'Loading'],
  ['it', 'Troppe connessioni in questa pagina', 'Caricamento'],
] as const) {
  it(`elements without room say why, as an error, and never that they load (${lang})`, async () => {
    wire = new Wire({ rows: ['a', 'b', 'c'].map((id) => row({ id })), limit: 2 })
    const errors: string[] = []
    const home = await fixture<HTMLElement>(html`
      <main
        lang=${lang}
        @mqtt-status-error=${(event: CustomEvent<{ code: string }>) => errors.push(event.detail.code)}
      >
        <mqtt-status-card connection-id="a" .client=${wire.client}></mqtt-status-card>
        <mqtt-status-card connection-id="b" .client=${wire.client}></mqtt-status-card>
        <mqtt-status-card connection-id="c" .client=${wire.client}></mqtt-status-card>
        <mqtt-status-badge site-id="s1" .client=${wire.client}></mqtt-status-badge>
      </main>
    `)
    const [a, b, c, site] = home.children as unknown as MqttStatusCard[]
    if (!a || !b || !c || !site) throw new Error('Not all elements are there')
    await shown(a, 'connected')
    await shown(b, 'connected')
    await waitUntil(() => text(c).includes(words), words, { timeout: 5_000 })
    await waitUntil(() => errors.length === 2, 'both have said so', { timeout: 5_000 })
    expect(errors).to.deep.equal(['limit_watch', 'limit_watch'])
    for (const one of [c, site]) {
      expect(one.matches(':state(loading)')).to.equal(false)
      expect(text(one)).not.to.contain(loading)
    }
    expect(wire.client.link.state).to.equal('live')
    // Places that are given up are taken at once by elements that ask; others wait until the grace is over.
    b.remove()
    c.connectionId = 'b'
    await shown(c, 'connected')
  })
}
