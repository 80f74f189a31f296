// The sentence above the cards: how many connections need attention, and which. It takes the count from the server and the
// names from the cards below it, by the client that the cards share.
import { clientFor } from '/widgets/mqtt-status.js'

/** How many names the sentence spells out. */
const NAMED = 3

const WORDS = {
  en: {
    none: 'Nothing is known yet.',
    calm: (total) => `All ${total} connections are as they should be.`,
    problems: (count, total) =>
      `${count} of ${total} ${count === 1 ? 'connections needs' : 'connections need'} attention: `,
    more: (count) => ` and ${count} more`,
  },
  it: {
    none: 'Ancora nessun dato.',
    calm: (total) => `Tutte le ${total} connessioni sono come dovrebbero.`,
    problems: (count, total) =>
      `${count} di ${total} ${count === 1 ? 'connessioni richiede' : 'connessioni richiedono'} attenzione: `,
    more: (count) => ` e altre ${count}`,
  },
}

const place = document.querySelector('#attention')
const cards = [...document.querySelectorAll('mqtt-status-card')]
for (const card of cards) card.closest('li').id = `at-${card.getAttribute('connection-id')}`

const client = clientFor({ src: `${location.origin}/` })
let drawing = null

function troubled() {
  return cards.filter((card) => card.matches(':state(warning), :state(negative)'))
}

/** One sentence for each language of the page. */
function sentence(lang, summary, found) {
  const words = WORDS[lang]
  const span = document.createElement('span')
  span.lang = lang
  if (summary === null) span.append(words.none)
  else if (summary.attention === 0) span.append(words.calm(summary.total))
  else {
    span.append(words.problems(summary.attention, summary.total))
    found.slice(0, NAMED).forEach((card, index) => {
      const link = document.createElement('a')
      link.href = `#${card.closest('li').id}`
      link.textContent = card.connection.name
      span.append(index === 0 ? '' : ', ', link)
    })
    const more = summary.attention - Math.min(NAMED, found.length)
    if (more > 0) span.append(words.more(more))
  }
  return span
}

async function draw() {
  await Promise.all(cards.map((card) => card.updateComplete))
  const summary = client.summary('*')
  const found = troubled()
  const isCalm = summary?.attention === 0
  place.classList.toggle('calm', isCalm)
  place.classList.toggle('problem', summary !== null && !isCalm)
  place.replaceChildren(...Object.keys(WORDS).map((lang) => sentence(lang, summary, found)))
  drawing = null
}

function update() {
  drawing ??= draw()
}

client.watch({ summary: ['*'] }, update)
for (const event of ['mqtt-status-ready', 'mqtt-status-change'])
  document.addEventListener(event, update)
update()
