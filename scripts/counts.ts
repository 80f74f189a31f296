/** How many tests of a run passed, failed and were skipped. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** One text per failed test: its file, its name and the first lines of its error. */
  readonly failures?: readonly string[]
}

interface VitestFile {
  readonly name: string
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages: readonly string[]
  }[]
}

const LINES_OF_AN_ERROR = 12

/** The counts in what Vitest's reporter `json` leaves. */
export function countOfVitest(json: unknown): Count {
  const result = json as Record<string, number> & { readonly testResults: readonly VitestFile[] }
  const { numPassedTests, numTotalTests, numPendingTests, numTodoTests, success } = result
  const passed = numPassedTests ?? 0
  const skipped = (numPendingTests ?? 0) + (numTodoTests ?? 0)
  const failed = (numTotalTests ?? 0) - passed - skipped
  // A file that can't even be loaded has no tests to count, but it has failed.
  return {
    passed,
    skipped,
    failed: failed === 0 && !success ? 1 : failed,
    failures: result.testResults.flatMap(failuresOf),
  }
}

function failuresOf({ name, message, assertionResults }: VitestFile): readonly string[] {
  const failed = assertionResults.filter(({ status }) => status === 'failed')
  const ofFile = message === '' ? [] : [`${name}\n${shortened(message)}`]
  return [
    ...ofFile,
    ...failed.map(
      ({ fullName, failureMessages }) =>
        `${name}: ${fullName}\n${shortened(failureMessages.join('\n'))}`,
    ),
  ]
}

/** The first lines of an error, without the frames of libraries. */
function shortened(error: string): string {
  const lines = error.split('\n').filter((line) => !line.includes('node_modules'))
  return lines.slice(0, LINES_OF_AN_ERROR).join('\n').trimEnd()
}
