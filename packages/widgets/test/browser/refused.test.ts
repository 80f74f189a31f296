/** Elements whose connections the server refuses to send, because the page watches too many. */
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer

afterEach(() => {
  server.client.close()
})

for (const [lang, words, loading] of [
  ['en', 'Too many connections on this page', 'Loading'],
  ['it', 'Troppe connessioni in questa pagina', 'Caricamento'],
] as const) {
  it(`elements beyond the limit of the server show why, dispatch an error, and do not load (${lang})`, async () => {
    server = new FakeServer({ rows: ['a', 'b', 'c'].map((id) => row({ id })), limit: 2 })
    const errors: string[] = []
    const home = await fixture<HTMLElement>(html`
      <main
        lang=${lang}
        @mqtt-status-error=${(event: CustomEvent<{ code: string }>) => errors.push(event.detail.code)}
      >
        <mqtt-status-card connection-id="a" .client=${server.client}></mqtt-status-card>
        <mqtt-status-card connection-id="b" .client=${server.client}></mqtt-status-card>
        <mqtt-status-card connection-id="c" .client=${server.client}></mqtt-status-card>
        <mqtt-status-badge site-id="s1" .client=${server.client}></mqtt-status-badge>
      </main>
    `)
    const [a, b, c, site] = home.children as unknown as MqttStatusCard[]
    if (!a || !b || !c || !site) throw new Error('Not all elements are there')
    await shown(a, 'connected')
    await shown(b, 'connected')
    await waitUntil(() => text(c).includes(words), words, { timeout: 5_000 })
    await waitUntil(() => errors.length === 2, 'both errors', { timeout: 5_000 })
    expect(errors).to.deep.equal(['limit_watch', 'limit_watch'])
    for (const one of [c, site]) {
      expect(one.matches(':state(loading)')).to.equal(false)
      expect(text(one)).not.to.contain(loading)
    }
    expect(server.client.link.state).to.equal('live')
    // A new subscription takes a free place at once; the refused ones get it after the delay of the unwatch.
    b.remove()
    c.connectionId = 'b'
    await shown(c, 'connected')
  })
}
