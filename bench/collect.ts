/** Loaded into each server under test: garbage that nobody has collected yet says nothing of what a client costs. */
process.on('SIGUSR2', () => {
  globalThis.gc?.()
})
