/** The samples of the documentation, as they stand there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** One fenced block of a page. */
export interface Block {
  /** Path of the page from the root of the repository. */
  readonly page: string
  /** Line of its opening fence. */
  readonly line: number
  /** The word behind the opening fence. */
  readonly language: string
  /** The nearest heading above it. */
  readonly heading: string
  /** The file that its first line names in a comment, as in `// app/page.tsx`. */
  readonly file: string | null
  readonly text: string
}

/** Every page with samples for users. */
export function pages(): string[] {
  const readmes = readdirSync(`${ROOT}packages`).map((name) => `packages/${name}/README.md`)
  return [
    'README.md',
    ...readdirSync(`${ROOT}docs`)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
    ...readmes.filter((path) => existsSync(ROOT + path)),
  ]
}

export function readPage(page: string): string {
  return readFileSync(ROOT + page, 'utf8')
}

export function allBlocks(): Block[] {
  return pages().flatMap(blocksOf)
}

/**
 * The fenced blocks of a page, in their order.
 *
 * @throws Error if a block is not closed, or if it stands in a list or a quotation, where it would be easily overlooked
 */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let open: { language: string; line: number; text: string[] } | null = null
  for (const [index, line] of readPage(page).split('\n').entries()) {
    const fence = /^([\s>]*)(?:```|~~~)\s*(\w*)/.exec(line)
    if (fence?.[1]) throw new Error(`${page}:${index + 1}: a fence must begin its line`)
    if (open !== null && fence) {
      const { language, line: start, text } = open
      const body = `${text.join('\n')}\n`
      blocks.push({ page, line: start, language, heading, file: fileOf(body), text: body })
      open = null
    } else if (open !== null) open.text.push(line)
    else if (fence) open = { language: fence[2] ?? '', line: index + 1, text: [] }
    else heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading
  }
  if (open !== null) throw new Error(`${page}:${open.line}: the block is not closed`)
  return blocks
}

/** @throws Error if the page has no such block, or several */
export function block(page: string, language: string, heading?: string): string {
  const found = blocksOf(page).filter(
    (each) => each.language === language && (heading === undefined || each.heading === heading),
  )
  const [only] = found
  if (only === undefined || found.length > 1)
    throw new Error(`${page}: expected one ${language} block, found ${found.length}`)
  return only.text
}

/** How a block is named in the name of a test. */
export function nameOf({ page, line, language }: Block): string {
  return `${page}:${line} (${language || 'no language'})`
}

function fileOf(text: string): string | null {
  return /^(?:---\n)?(?:\/\/|<!--|#) (\S+\.\w+)(?: -->)?\n/.exec(text)?.[1] ?? null
}
