/** The pages of the demo: a portal that has a script tag and cards only, and a catalogue of the elements. */
export interface PortalFile {
  readonly file: URL
  readonly type: string
}

const HTML = 'text/html; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

/** By path. The files are beside this module, in the sources and in the build. */
export const PORTAL: Readonly<Record<string, PortalFile>> = {
  '/': portalFile('index.html', HTML),
  '/portal.css': portalFile('portal.css', CSS),
  '/portal.js': portalFile('portal.js', SCRIPT),
  '/attention.js': portalFile('attention.js', SCRIPT),
  '/portal.svg': portalFile('portal.svg', 'image/svg+xml'),
  '/catalogue': portalFile('catalogue/index.html', HTML),
  '/catalogue/catalogue.css': portalFile('catalogue/catalogue.css', CSS),
  '/catalogue/catalogue.js': portalFile('catalogue/catalogue.js', SCRIPT),
  '/catalogue/fake-client.js': portalFile('catalogue/fake-client.js', SCRIPT),
  '/catalogue/states.js': portalFile('catalogue/states.js', SCRIPT),
}

function portalFile(name: string, type: string): PortalFile {
  return { file: new URL(`./portal/${name}`, import.meta.url), type }
}
