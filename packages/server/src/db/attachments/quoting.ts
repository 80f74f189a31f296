/** Texts as SQL. */

/** A text as a literal, whatever is in it. */
export function literal(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}

/** The body of a function, with a tag that it does not contain. */
export function dollarQuoted(body: string): string {
  let tag = '$attachment$'
  while (body.includes(tag)) tag = tag.replace(/\$$/, '_$')
  return `${tag}\n${body}\n${tag}`
}
