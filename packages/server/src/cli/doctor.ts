import { readConfig } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import { SetupError } from '../errors.ts'
import { access } from './doctor-access.ts'
import { examine } from './doctor-checks.ts'
import type { Edge } from './edge.ts'
import type { Finding } from './finding.ts'

export interface DoctorOptions {
  /** Confirm that nodes may supervise the connections of this database, although it is a copy. */
  readonly adopt: boolean
  /** One JSON array instead of lines. */
  readonly json: boolean
}

const SIGNS = { ok: '✓', warning: '!', broken: '✗' } as const

/**
 * Checks the setup and prints each finding with its cure. Changes nothing unless `adopt` is set.
 *
 * @throws SetupError when a check has failed, so that the exit code is 1
 */
export async function doctor(
  edge: Edge,
  flags: Record<string, string>,
  { adopt, json }: DoctorOptions,
): Promise<void> {
  const findings: Finding[] = []
  const note = (finding: Finding): void => {
    findings.push(finding)
    if (!json) for (const line of toLines(finding)) edge.print(line)
  }
  const config = configure(edge, flags, note)
  if (config !== null) for await (const finding of examine(config, adopt)) note(finding)
  if (json) edge.print(JSON.stringify(findings, null, 2))
  const broken = findings.filter(({ state }) => state === 'broken').map(({ check }) => check)
  if (broken.length > 0) throw new SetupError(`To be mended: ${broken.join(', ')}.`)
}

function configure(
  edge: Edge,
  flags: Record<string, string>,
  note: (finding: Finding) => void,
): Config | null {
  const check = 'configuration'
  try {
    const { config, warnings } = readConfig(edge.environment, flags, edge.terminal)
    for (const found of warnings) note({ check, state: 'warning', found })
    note({ check, ...access(config.auth) })
    return config
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    const [found = '', ...rest] = error.message.split('\n')
    note({ check, state: 'broken', found, cure: rest.map((line) => line.trim()).join('\n') })
    return null
  }
}

function toLines({ check, state, found, cure }: Finding): string[] {
  return [
    `${SIGNS[state]} ${check}: ${found}`,
    ...(cure === undefined || cure === '' ? [] : cure.split('\n').map((line) => `    ${line}`)),
  ]
}
