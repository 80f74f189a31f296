/** What the server calls its endpoints, below the base path. */
const ENDPOINT = /\/(?:widgets\/|ws\/status|sse\/status|api\/v1\/|healthz|readyz)/

/**
 * Why the server has nothing at a path. Most such requests come through a proxy that cuts a prefix off, or to a server that
 * does not know its prefix.
 *
 * @param basePath starts and ends with a slash
 */
export function explainUnknownPath(path: string, basePath: string): string {
  const nothing = 'There is nothing at this path.'
  if (!`${path}/`.startsWith(basePath))
    return `${nothing} This server answers below ${basePath} only, because BASE_PATH says so. A proxy in front of it has to pass the whole path on.`
  const below = path.slice(basePath.length - 1)
  if ((ENDPOINT.exec(below)?.index ?? 0) > 0)
    return `${nothing} An endpoint of this server stands in it behind a prefix. Let BASE_PATH name the whole prefix that is in front of the endpoints.`
  return nothing
}
