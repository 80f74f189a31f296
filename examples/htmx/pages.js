// The two pages as HTML, with the attributes that htmx and Turbo need.

/** How each library takes over links, keeps an element through a swap, and leaves a link to the browser. */
const LIBRARIES = {
  htmx: { base: '/', body: 'hx-boost:inherited="true"', keep: 'hx-preserve' },
  turbo: { base: '/turbo', body: '', keep: 'data-turbo-permanent' },
}

/** @param plants the plants with their last known status; `null`: the page about the portal */
export function page({ library, statusUrl, plants }) {
  const { base, body } = LIBRARIES[library]
  const other = library === 'htmx' ? 'turbo' : 'htmx'
  const title = plants === null ? 'About' : 'Plants'
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    <!-- Without prefetching Turbo requests a page only when the visitor follows its link. -->
    <meta name="turbo-prefetch" content="false">
    <link rel="stylesheet" href="/portal.css">
    <script src="/${library}.js" defer></script>
    <script type="module" src="${statusUrl}/widgets/mqtt-status.js"></script>
  </head>
  <body ${body}>
    <nav>
      <a href="${base}">Plants</a>
      <a href="${base.replace(/\/?$/, '/about')}">About</a>
      <a href="${LIBRARIES[other].base}" hx-boost="false" data-turbo="false">With ${other}</a>
    </nav>
    <main>
      <h1>${title}</h1>
      ${plants === null ? '<p>This page has no card.</p>' : list(plants, library)}
    </main>
  </body>
</html>`
}

function list(plants, library) {
  const { base, keep } = LIBRARIES[library]
  const cards = plants.map(({ id, name, status }) => {
    const text = status === undefined ? name : `${name}: ${status}`
    return `<mqtt-status-card id="card-${id}" ${keep} connection-id="${id}" name="${escape(name)}" controls="show">${escape(text)}</mqtt-status-card>`
  })
  return `<p><a href="${base}?sort=name">Sort by name</a></p>
      ${cards.join('\n      ')}`
}

function escape(text) {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
