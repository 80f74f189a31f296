import { readFileSync } from 'node:fs'

/** One fenced block of a page in `docs/`. */
export interface Block {
  /** The word behind the opening fence. */
  readonly language: string
  /** The nearest heading above it. */
  readonly heading: string
  readonly text: string
}

/** The fenced blocks of a page, in their order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const blocks: Block[] = []
  let heading = ''
  for (const [, title, language, body] of text.matchAll(
    /^#+ (.+)$|^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm,
  )) {
    if (title !== undefined) heading = title
    else blocks.push({ language: language ?? '', heading, text: body ?? '' })
  }
  return blocks
}

/** @throws Error if the page has no such block, or several */
export function block(page: string, language: string, heading?: string): string {
  const found = blocksOf(page).filter(
    (each) => each.language === language && (heading === undefined || each.heading === heading),
  )
  const [only] = found
  if (only === undefined || found.length > 1)
    throw new Error(`docs/${page}: expected one ${language} block, found ${found.length}`)
  return only.text
}
