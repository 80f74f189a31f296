/** Builds everything that is run or published: the widgets (npm entries and the single file) and the server. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

interface Part {
  readonly name: string
  readonly folder: string
  readonly command: readonly [string, ...string[]]
  readonly output: string
}

const parts: readonly Part[] = [
  part('packages/widgets', 'dist', 'tsdown', '--logLevel', 'warn'),
  part('packages/widgets', 'cdn', 'vite', 'build', '--logLevel', 'warn'),
  part('packages/server', 'dist', 'tsdown', '--logLevel', 'warn'),
]

function part(folder: string, output: string, ...command: [string, ...string[]]): Part {
  return { name: `${folder}/${output}`, folder: join(root, folder), command, output }
}

/** @throws when a part can't be built; the compiler has printed the reason */
export async function build(): Promise<void> {
  for (const { name, folder, command, output } of parts) {
    const begun = performance.now()
    // A file of an earlier build must not be published.
    rmSync(join(folder, output), { recursive: true, force: true })
    const code = await run(command, folder)
    if (code !== 0) throw new Error(`${name} could not be built (${command.join(' ')}: ${code})`)
    console.log(`✓ Built ${name} (${((performance.now() - begun) / 1_000).toFixed(1)} s)`)
  }
}

function run([program, ...args]: readonly [string, ...string[]], cwd: string): Promise<number> {
  const windows = process.platform === 'win32'
  const file = join(cwd, 'node_modules/.bin', windows ? `${program}.CMD` : program)
  return new Promise((resolve, reject) => {
    // Windows runs its .CMD files only through a shell.
    const child = spawn(windows ? `"${file}"` : file, args, {
      cwd,
      // The tools run in the Node that runs this script, not in the first one of the PATH.
      env: {
        ...process.env,
        PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: windows,
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      resolve(code ?? 1)
    })
  })
}

if (import.meta.main) {
  try {
    await build()
  } catch (error) {
    console.error(`✗ ${(error as Error).message}`)
    process.exitCode = 1
  }
}
