/**
 * Waits for work, but not longer than `ms`. The work continues after that; the caller ignores its result or failure.
 *
 * @param late gives the result after `ms`, or throws
 * @throws an error that names the time, unless `late` is given
 */
export async function within<T, L = never>(
  ms: number,
  work: PromiseLike<T>,
  late: () => L = () => {
    throw new Error(`no answer within ${ms} ms`)
  },
): Promise<T | L> {
  const { promise: deadline, resolve } = Promise.withResolvers<typeof LATE>()
  const timer = setTimeout(resolve, ms, LATE)
  const settled = Promise.resolve(work)
  settled.catch(() => undefined)
  try {
    const first = await Promise.race([settled, deadline])
    return first === LATE ? late() : first
  } finally {
    clearTimeout(timer)
  }
}

const LATE = Symbol('late')
