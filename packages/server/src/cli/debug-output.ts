/**
 * Debug output of Node and of libraries contains secrets: passwords of brokers in CONNECT packets, tokens in headers, bodies of
 * requests. The variables `DEBUG` and `NODE_DEBUG` enable this output; the process edge disables it.
 */

/** `util.debuglog` of Node begins each line with the section and the process id. */
const NODE_DEBUG_LINE = /^[A-Z\d_]+ \d+: /

/**
 * Disables the output of `DEBUG` and `NODE_DEBUG`. Call it before the libraries are loaded, because they read the environment while they load.
 *
 * @returns the variables that were set
 */
export function withholdDebugOutput(): readonly string[] {
  const { stderr, env } = process
  const set = ['DEBUG', 'NODE_DEBUG'].filter((name) => (env[name] ?? '') !== '')
  for (const name of set) Reflect.deleteProperty(env, name)
  if (set.includes('NODE_DEBUG')) {
    // Node has read its variable before this program began, and writes its debug lines with this method.
    const write = stderr.write.bind(stderr) as (...args: unknown[]) => boolean
    stderr.write = (...args: unknown[]): boolean =>
      typeof args[0] === 'string' && NODE_DEBUG_LINE.test(args[0]) ? true : write(...args)
  }
  return set
}
