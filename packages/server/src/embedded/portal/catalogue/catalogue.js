// Shows every element in every state. The elements come from the very file that portals load.
import { ATTRIBUTE_WORDS } from '../widgets/mqtt-status.js'
import { FakeClient } from './fake-client.js'
import { SEVERAL, STATES } from './states.js'

const SETTINGS = {
  theme: ATTRIBUTE_WORDS.theme,
  lang: ['en', 'it'],
  density: ATTRIBUTE_WORDS.density,
  dir: ['ltr', 'rtl'],
  width: ['auto', '200', '280', '480'],
  time: ATTRIBUTE_WORDS.time,
  controls: ATTRIBUTE_WORDS.controls,
}

const LINKS = [
  'live',
  'connecting',
  'stale',
  'offline',
  'unauthorized',
  'forbidden',
  'incompatible',
  'unavailable',
]

const query = new URLSearchParams(location.search)

/** A setting, by the address of the page so that a view can be shared. */
function setting(name) {
  const wanted = query.get(name)
  return SETTINGS[name].includes(wanted) ? wanted : SETTINGS[name][0]
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** An element with attributes, and the client that makes it what it is. */
function specimen(tag, attributes, state = {}, text = '') {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.textContent = text
  element.client = new FakeClient(state)
  return element
}

function snippet(element) {
  if (element.localName === 'div') return [...element.children].map(snippet).join('\n')
  const attributes = [...element.attributes].map(({ name, value }) =>
    value ? ` ${name}="${value}"` : ` ${name}`,
  )
  const tag = element.localName
  return `<${tag}${attributes.join('')}>${element.innerHTML}</${tag}>`
}

/** A button that copies markup. */
function copyButton(markup, title) {
  const copy = make('button', { type: 'button', className: 'copy', textContent: 'Copy' })
  copy.setAttribute('aria-label', `Copy the markup of ${title}`)
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(markup)
    copy.textContent = 'Copied'
  })
  return copy
}

function slug(text) {
  return text.replaceAll(/\W+/g, '-')
}

/** A specimen with its caption. */
function framed(key, title, shown) {
  const caption = make('div', {}, make('span', { textContent: title }))
  const frame = make('div', { className: 'specimen' }, caption, shown)
  frame.id = `${key}-${slug(title)}`
  return { title, caption, frame, markup: snippet(shown) }
}

/** The state of an element comes from its row, so one markup may stand for a whole section: then the heading copies it. */
function section(title, text, className, framed) {
  const markups = new Set(framed.map(({ markup }) => markup))
  const heading = make('div', { className: 'heading' }, make('h2', { textContent: title }))
  const [only] = markups
  if (markups.size === 1) heading.append(copyButton(only, title))
  else for (const { title, caption, markup } of framed) caption.append(copyButton(markup, title))
  const frames = framed.map(({ frame }) => frame)
  const grid = make('div', {
    className: `grid ${className}`,
    lang: setting('lang'),
    dir: setting('dir'),
  })
  if (setting('width') !== 'auto' && className === '') grid.dataset.width = setting('width')
  grid.append(...frames)
  const whole = make('section', {}, heading, make('p', { textContent: text }), grid)
  whole.id = `section-${slug(title)}`
  return whole
}

/** Links to the sections, and to each specimen of one. */
function contents(sections) {
  return sections.map((each) => {
    const title = each.querySelector('h2').textContent
    const links = [...each.querySelectorAll('.specimen')].map((specimen) =>
      make(
        'li',
        {},
        make('a', {
          href: `#${specimen.id}`,
          textContent: specimen.querySelector('span').textContent,
        }),
      ),
    )
    return make(
      'details',
      {},
      make('summary', { textContent: `${title} (${links.length})` }),
      make('a', { href: `#${each.id}`, textContent: 'whole section' }),
      make('ul', {}, ...links),
    )
  })
}

function cards() {
  const attributes = {
    'connection-id': 'plant-7',
    density: setting('density'),
    controls: setting('controls'),
    ...(setting('time') === 'relative' ? {} : { time: setting('time') }),
  }
  return Object.entries(STATES).map(([title, state]) =>
    framed('card', title, specimen('mqtt-status-card', attributes, state)),
  )
}

/** A card with markup of the page's own in it. */
function filled(markup, state, attributes = {}) {
  const card = specimen('mqtt-status-card', { 'connection-id': 'plant-7', ...attributes }, state)
  card.innerHTML = markup
  return card
}

function equipped() {
  const linked = { href: '#card-connected', 'heading-level': '3' }
  const star =
    '<svg slot="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="m10 2 2.4 5 5.6.7-4.1 3.8 1 5.5-4.9-2.7-4.9 2.7 1-5.5-4.1-3.8 5.6-.7z"></path></svg>'
  return Object.entries({
    'link and meta': filled('<span slot="meta">Brescia · 420 kW</span>', STATES.connected, linked),
    'asks first': filled('', STATES.connected, { confirm: 'disconnect' }),
    'both times, no reason': filled('', STATES.failed, { time: 'both', hide: 'reason' }),
    'name with markup, icon': filled(
      `<span slot="name">Impianto <em>7</em></span>${star}`,
      STATES.connected,
    ),
    'actions and footer': filled(
      '<button slot="actions" type="button">Rename</button><a slot="footer" href="#more-actions-and-footer">Documents</a>',
      STATES.lost,
    ),
    'words for a problem': filled(
      '<span slot="error">Please sign in again.</span>',
      STATES['token expired, row known'],
    ),
  }).map(([title, card]) => framed('more', title, card))
}

/** What a page shows whose author has forgotten something. */
function mistakes() {
  return Object.entries({
    'several at the site': specimen('mqtt-status-card', { 'site-id': 'site-7' }, SEVERAL),
    'no connection chosen': specimen('mqtt-status-card', {}, STATES.connected),
  }).map(([title, card]) => framed('mistake', title, card))
}

function badges() {
  return Object.entries(STATES).map(([title, state]) => {
    const all = ['label', 'icon', 'dot', 'text'].map((variant) =>
      specimen('mqtt-status-badge', { 'connection-id': 'plant-7', variant }, state),
    )
    return framed('badge', title, make('div', { className: 'variants' }, ...all))
  })
}

function sizes() {
  return ['s', 'm', 'l'].map((size) => {
    const all = ['label', 'icon', 'dot', 'text'].map((variant) =>
      specimen(
        'mqtt-status-badge',
        { 'connection-id': 'plant-7', variant, size, href: '#card-failed' },
        STATES.failed,
        'MQTT',
      ),
    )
    return framed('size', `size ${size}`, make('div', { className: 'variants' }, ...all))
  })
}

function controls() {
  return Object.entries(STATES).map(([title, state]) => {
    const all = [{}, { 'label-hidden': '' }].map((more) =>
      specimen('mqtt-status-control', { 'connection-id': 'plant-7', ...more }, state),
    )
    return framed('control', title, make('div', { className: 'variants' }, ...all))
  })
}

function actions() {
  return ['auto', 'connect', 'disconnect', 'reconnect'].map((action) =>
    framed(
      'action',
      `action ${action}`,
      specimen(
        'mqtt-status-control',
        { 'connection-id': 'plant-7', action, confirm: 'all' },
        STATES.connected,
      ),
    ),
  )
}

function lives() {
  return LINKS.map((link) => framed('live', link, specimen('mqtt-status-live', {}, { link })))
}

function matrix() {
  const frames = []
  for (const theme of ['light', 'dark']) {
    for (const density of SETTINGS.density) {
      const all = ['connected', 'lost', 'failed'].map((state) =>
        specimen('mqtt-status-card', { 'connection-id': 'plant-7', theme, density }, STATES[state]),
      )
      frames.push(
        framed('matrix', `${theme}, ${density}`, make('div', { className: 'matrix' }, ...all)),
      )
    }
  }
  return frames
}

function settings() {
  const form = document.querySelector('#settings')
  for (const [name, values] of Object.entries(SETTINGS)) {
    const select = make(
      'select',
      { name },
      ...values.map((value) => new Option(value, value, false, value === setting(name))),
    )
    form.append(make('label', { textContent: name }, select))
  }
  form.addEventListener('change', () => {
    location.search = new URLSearchParams(new FormData(form)).toString()
  })
}

if (setting('theme') !== 'auto') document.documentElement.dataset.theme = setting('theme')
settings()
const sections = [
  section(
    '<mqtt-status-card>',
    'Name, status, since when, why, and the button that fits.',
    '',
    cards(),
  ),
  section('Card, equipped', 'What attributes and slots add.', '', equipped()),
  section('Card, mistaken', 'Where the page has to say more.', '', mistakes()),
  section('Themes and densities', 'Whatever the page around them.', '', matrix()),
  section(
    '<mqtt-status-badge>',
    'label, icon, dot, text: in headings, tables and sentences.',
    'small',
    badges(),
  ),
  section('Badge sizes', 'With a word of the page before it, as links.', 'small', sizes()),
  section(
    '<mqtt-status-control>',
    'The button alone, with and without its word.',
    'small',
    controls(),
  ),
  section('Control actions', 'One fixed action each, asking first.', 'small', actions()),
  section('<mqtt-status-live>', 'The health of the feed.', 'small', lives()),
]
document.querySelector('#specimens').append(...sections)
document.querySelector('#contents').append(...contents(sections))
// The sections came after the page, so the browser has not found what its address names.
document.getElementById(location.hash.slice(1))?.scrollIntoView()
document.documentElement.dataset.ready = ''
