/** The Python of an example whose packages `requirements.txt` lists. */
import { spawnSync } from 'node:child_process'

/** What examples/django imports. */
const MODULES = 'import django, jwt, psycopg2'

/** Debian's packages belong to Debian's own Python, which is often not the first one on the path. */
const CANDIDATES = ['python3', '/usr/bin/python3']

/** @returns the first Python that has the packages, or `null`; the variable `PYTHON` comes before others */
export function findPython(): string | null {
  const named = process.env['PYTHON']
  const all = named === undefined ? CANDIDATES : [named, ...CANDIDATES]
  return all.find((python) => spawnSync(python, ['-c', MODULES]).status === 0) ?? null
}
