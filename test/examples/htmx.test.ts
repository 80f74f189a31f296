import { expect, test } from 'vitest'
import { testExample } from './spec.ts'

const { stage, visit } = testExample('htmx')

test.each(['/', '/turbo'])(
  'where a swap of %s renders the same cards in another order, the elements and the socket stay',
  async (base) => {
    await stage().allConnected()
    await stage().allClosed()
    const before = stage().door.handshakes
    const visitor = await visit(base)
    await visitor.shows('plant-7', 'connected')
    const cards = await visitor.page.locator('mqtt-status-card').elementHandles()
    await visitor.page.evaluate(() => (window.isSameDocument = true))
    await visitor.page.getByText('Sort by name').click()
    await visitor.page.waitForURL('**/*?sort=name')
    const isFirst = `main > mqtt-status-card[connection-id="cascina-rossi"]:nth-child(3)`
    await visitor.page.locator(isFirst).waitFor()
    await stage().ask('disconnected', 'plant-7')
    await visitor.shows('plant-7', 'disconnected')
    const kept = await Promise.all(
      cards.map((card) => card.evaluate((element) => element.isConnected)),
    )
    expect(kept).toEqual([true, true, true])
    expect(await visitor.page.evaluate(() => window.isSameDocument)).toBe(true)
    expect(stage().door.handshakes - before).toBe(1)
    await visitor.close()
  },
)

test.each(['/', '/turbo'])('%s shows live cards after the button Back', async (base) => {
  await stage().allConnected()
  const visitor = await visit(base)
  await visitor.shows('plant-7', 'connected')
  await visitor.follow('/about', base)
  await stage().ask('disconnected', 'plant-7')
  await visitor.page.goBack()
  await visitor.shows('plant-7', 'disconnected')
  await visitor.close()
})
