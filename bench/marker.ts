/**
 * What travels inside the name of a row, so that a client can count and time changes without parsing anything, whatever
 * wire they come on: `@@<moment in ms>#<number>@@`.
 */
const OPEN = Buffer.from('@@')
const MOMENT = 17
const NUMBER = 7
const LENGTH = 2 + MOMENT + 1 + NUMBER + 2

/** The wall clock in ms, with µs; the same for all processes of a machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

export function marker(sequence: number): string {
  const moment = nowMs().toFixed(3).padStart(MOMENT, '0')
  return `@@${moment}#${String(sequence).padStart(NUMBER, '0')}@@`
}

/** A marker that was replaced by one of the same length in text that was built before. */
export function remark(text: string, sequence: number): string {
  return text.replace(/@@[\d.]+#\d+@@/, marker(sequence))
}

/** Finds the markers in a stream of bytes, also where one is cut in two. */
export class MarkerScanner {
  #rest: Buffer | null = null

  scan(chunk: Buffer, found: (momentMs: number, sequence: number) => void): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = null
    let at = bytes.indexOf(OPEN)
    while (at !== -1 && at + LENGTH <= bytes.length) {
      const text = bytes.toString('latin1', at + 2, at + LENGTH - 2)
      found(Number(text.slice(0, MOMENT)), Number(text.slice(MOMENT + 1)))
      at = bytes.indexOf(OPEN, at + LENGTH)
    }
    if (at !== -1) this.#rest = Buffer.from(bytes.subarray(at))
    else if (bytes.at(-1) === OPEN[0]) this.#rest = Buffer.from(bytes.subarray(-1))
  }
}
