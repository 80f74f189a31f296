/** The portal page of the demo: what a portal of yours could look like with nothing but a script tag and cards. */
export interface PortalFile {
  readonly file: URL
  readonly type: string
}

/** By path. Beside this file in the sources and in the build alike. */
export const PORTAL: Readonly<Record<string, PortalFile>> = {
  '/': portalFile('index.html', 'text/html; charset=utf-8'),
  '/portal.css': portalFile('portal.css', 'text/css; charset=utf-8'),
  '/portal.js': portalFile('portal.js', 'text/javascript; charset=utf-8'),
  '/portal.svg': portalFile('portal.svg', 'image/svg+xml'),
}

function portalFile(name: string, type: string): PortalFile {
  return { file: new URL(`./portal/${name}`, import.meta.url), type }
}
