/**
 * References to secrets outside of the database: `env:MQTT_SECRET_…` and `file:/run/secrets/…`. A manager chooses the
 * name, so a reference reaches no other variable or file of this machine.
 */
import { readFile, realpath } from 'node:fs/promises'
import { posix } from 'node:path'
import { SETTINGS } from '../../config/settings.ts'

export interface ReferenceSources {
  /** A variable whose name begins with `MQTT_SECRET_`; keys of the server itself are not among them. */
  readonly variable: (name: string) => string | undefined
  /** The file with the server's own keys; a reference to it is refused. */
  readonly keysFile?: string | undefined
  /** @default /run/secrets */
  readonly folder?: string
}

const FOLDER = '/run/secrets'
const VARIABLE = /^MQTT_SECRET_[A-Za-z0-9_]+$/
/** Settings of the server itself. */
const OWN_VARIABLES: ReadonlySet<string> = new Set(SETTINGS.map(({ variable }) => variable))
/** Below that folder: the credentials of the container's own service account at the cluster. */
const CLUSTER = 'kubernetes.io/'
const MAX_BYTES = 64 * 1024

/**
 * What has to happen before a secret can be read: a setting of the row or of this server changes, a file appears or
 * changes, or this machine has resources again (file descriptors, memory, a disk that answers).
 */
export type Obstacle = 'setting' | 'file' | 'machine'

/** The message says why. It never has the content of a file or variable. */
export class UnreadableReference extends Error {
  readonly obstacle: Obstacle

  constructor(message: string, obstacle: Obstacle, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnreadableReference'
    this.obstacle = obstacle
  }
}

/** What the file system says of a path that an operator has to mend. Any other code is the machine's. */
const OF_THE_FILE: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
])

/** Whether a text names a secret instead of being one. */
export function isReference(text: string): boolean {
  return /^(env|file):/.test(text)
}

/** Why the text is no valid reference; `null` if it is one. */
export function referenceFault(reference: string, folder: string = FOLDER): string | null {
  const { scheme, name } = parts(reference)
  if (scheme === 'env') {
    return VARIABLE.test(name) && !OWN_VARIABLES.has(name)
      ? null
      : 'expected a reference like env:MQTT_SECRET_PLANT_7; the name has to begin with MQTT_SECRET_'
  }
  const proper = posix.normalize(name) === name && !name.includes('\0') && !name.endsWith('/')
  return proper && within(folder, name) && !within(`${folder}/${CLUSTER}`, name)
    ? null
    : `expected a reference like file:${folder}/plant-7; the file has to be below ${folder}`
}

/**
 * Reads the secret anew each time: an operator may have replaced the file.
 *
 * @throws UnreadableReference
 */
export async function resolveReference(
  reference: string,
  { variable, keysFile, folder = FOLDER }: ReferenceSources,
): Promise<string> {
  const fault = referenceFault(reference, folder)
  if (fault !== null) throw new UnreadableReference(fault, 'setting')
  const { scheme, name } = parts(reference)
  if (scheme === 'env') {
    const value = variable(name)
    if (value === undefined || value === '')
      throw new UnreadableReference(`${name} is not set on this server`, 'setting')
    return value
  }
  return readSecretFile(name, folder, keysFile)
}

async function readSecretFile(
  path: string,
  folder: string,
  keysFile: string | undefined,
): Promise<string> {
  // Orchestrators mount secrets as symbolic links; the target of the link must be inside the folder.
  const real = await realpath(path).catch(refuse(path, 'does not exist on this server'))
  const root = await realpath(folder).catch(() => folder)
  const own = keysFile === undefined ? null : await realpath(keysFile).catch(() => null)
  if (!within(root, real) || within(`${root}/${CLUSTER}`, real) || real === own)
    throw new UnreadableReference(`${path} leads to a file that may not be used`, 'file')
  const content = await readFile(real).catch(refuse(path, "can't be read by this server"))
  if (content.length > MAX_BYTES)
    throw new UnreadableReference(`${path} is larger than ${MAX_BYTES} bytes`, 'file')
  return content.toString('utf8').replace(/\r?\n$/, '')
}

function refuse(path: string, why: string): (cause: unknown) => never {
  return (cause) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (OF_THE_FILE.has(code)) throw new UnreadableReference(`${path} ${why}`, 'file', { cause })
    const message = `${path} can't be read at the moment (${String(code)})`
    throw new UnreadableReference(message, 'machine', { cause })
  }
}

function parts(reference: string): { scheme: string; name: string } {
  const colon = reference.indexOf(':')
  return { scheme: reference.slice(0, colon), name: reference.slice(colon + 1) }
}

function within(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
