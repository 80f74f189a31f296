/** The body of a large answer: it is made while the client reads it, so an answer that is not read takes 64 KiB. */

const CHUNK_CHARACTERS = 64 * 1024

interface Chunk {
  readonly text: string
  readonly isLast: boolean
}

/** @returns a text if the answer is small, so that it has a Content-Length; else a stream that yields to other work between chunks */
export function jsonBody(pieces: Iterable<string>): string | ReadableStream<Uint8Array> {
  const source = pieces[Symbol.iterator]()
  let chunk = take(source)
  if (chunk.isLast) return chunk.text
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode(chunk.text))
      if (chunk.isLast) {
        controller.close()
        return
      }
      await new Promise((resolve) => setImmediate(resolve))
      chunk = take(source)
    },
  })
}

function take(source: Iterator<string>): Chunk {
  const pieces: string[] = []
  let characters = 0
  while (characters < CHUNK_CHARACTERS) {
    const next = source.next()
    if (next.done === true) return { text: pieces.join(''), isLast: true }
    pieces.push(next.value)
    characters += next.value.length
  }
  return { text: pieces.join(''), isLast: false }
}
