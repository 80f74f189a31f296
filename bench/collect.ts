/** Loaded into each server under test: uncollected garbage is no part of what a client costs. */
process.on('SIGUSR2', () => {
  globalThis.gc?.()
})
