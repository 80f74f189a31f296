/** How many tests of a run passed, failed and were skipped. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The counts in what Vitest's reporter `json` leaves. */
export function countOfVitest(json: unknown): Count {
  const { numPassedTests, numTotalTests, numPendingTests, numTodoTests, success } = json as Record<
    string,
    number
  >
  const passed = numPassedTests ?? 0
  const skipped = (numPendingTests ?? 0) + (numTodoTests ?? 0)
  const failed = (numTotalTests ?? 0) - passed - skipped
  // A file that can't even be loaded has no tests to count, but it has failed.
  return { passed, skipped, failed: failed === 0 && !success ? 1 : failed }
}
