/** As the page resolves it, always with a slash at the end. */
export function absolute(src: string): string {
  const url = new URL(src, typeof document === 'undefined' ? undefined : document.baseURI)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url.href
}
