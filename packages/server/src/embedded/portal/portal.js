// The two switches of the page. Language and theme are plain HTML (`lang`, `color-scheme`), which the cards follow by
// themselves: nothing here knows of them.
const root = document.documentElement

/** Reads a choice of an earlier visit; a browser may forbid it. */
function remembered(key) {
  try {
    return localStorage.getItem(`portal.${key}`)
  } catch {
    return null
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`portal.${key}`, value)
  } catch {
    // Then it lasts until the next visit.
  }
}

const switches = {
  language: {
    get: () => root.lang,
    set: (value) => {
      root.lang = value
      document.title = value === 'it' ? 'Meridiana · Impianti' : 'Meridiana · Plants'
    },
  },
  theme: {
    get: () => root.dataset.theme ?? 'auto',
    set: (value) => {
      if (value === 'auto') delete root.dataset.theme
      else root.dataset.theme = value
    },
  },
}

switches.language.set(remembered('language') ?? (navigator.language.startsWith('it') ? 'it' : 'en'))
switches.theme.set(remembered('theme') ?? 'auto')

document.addEventListener('DOMContentLoaded', () => {
  for (const [key, { get, set }] of Object.entries(switches)) {
    const buttons = document.querySelectorAll(`button[data-${key}]`)
    const show = () => {
      for (const button of buttons)
        button.setAttribute('aria-pressed', String(button.dataset[key] === get()))
    }
    for (const button of buttons) {
      button.addEventListener('click', () => {
        set(button.dataset[key])
        remember(key, button.dataset[key])
        show()
      })
    }
    show()
  }
})
