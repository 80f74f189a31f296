/**
 * Debug output of Node and of libraries shows what passes through them: passwords of brokers in CONNECT packets, tokens in heads, bodies of
 * requests. Only the environment turns it on, so here the environment does not.
 */

/** How `util.debuglog` of Node begins a line: the section and the process id. */
const NODE_DEBUG_LINE = /^[A-Z\d_]+ \d+: /

/**
 * Turns off what `DEBUG` and `NODE_DEBUG` have turned on; to be called before the libraries are loaded, because they read the environment then.
 *
 * @returns the variables that were set
 */
export function withholdDebugOutput(): readonly string[] {
  const { stderr, env } = process
  const set = ['DEBUG', 'NODE_DEBUG'].filter((name) => (env[name] ?? '') !== '')
  for (const name of set) Reflect.deleteProperty(env, name)
  if (set.includes('NODE_DEBUG')) {
    // Node has read its variable before this program began, and prints through this method.
    const write = stderr.write.bind(stderr) as (...args: unknown[]) => boolean
    stderr.write = (...args: unknown[]): boolean =>
      typeof args[0] === 'string' && NODE_DEBUG_LINE.test(args[0]) ? true : write(...args)
  }
  return set
}
