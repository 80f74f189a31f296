import { defineConfig, globalIgnores } from 'eslint/config'
import importX from 'eslint-plugin-import-x'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import tseslint from 'typescript-eslint'

/** The house: each room, and the only rooms it may look into. What is not listed is forbidden. */
const ground = ['errors.ts', 'log.ts', 'model', 'config']
const rooms = {
  'packages/server/src': {
    'errors.ts': [],
    'log.ts': [],
    model: [],
    config: ['errors.ts', 'log.ts', 'model'],
    dns: ['model'],
    db: ground,
    mqtt: [...ground, 'dns'],
    hub: ground,
    auth: ground,
    http: [...ground, 'auth', 'hub', 'db'],
    embedded: ground,
    attach: [...ground, 'db'],
    management: [...ground, 'db', 'dns', 'mqtt'],
    ownership: [...ground, 'db', 'dns', 'mqtt'],
    'server.ts': [
      ...ground,
      ...['attach', 'auth', 'db', 'dns', 'hub', 'http', 'management', 'ownership'],
    ],
    'index.ts': [...ground, 'dns', 'server.ts', 'ownership', 'http'],
    cli: [...ground, 'server.ts', 'attach', 'embedded', 'auth', 'db', 'dns', 'management'],
    'main.ts': [...ground, 'cli'],
  },
  'packages/widgets/src': {
    attributes: [],
    'events.ts': ['client'],
    client: [],
    locales: [],
    page: ['client', 'locales'],
    controllers: ['attributes', 'client', 'events.ts', 'locales', 'page'],
    elements: ['attributes', 'controllers', 'page', 'client', 'events.ts', 'locales'],
    development: ['attributes', 'elements', 'locales'],
    'index.ts': ['attributes', 'elements', 'client', 'events.ts', 'locales'],
    'index.development.ts': ['index.ts', 'development'],
    define: ['elements', 'development', 'index.ts'],
    'define.ts': ['define', 'index.ts'],
    'define.development.ts': ['define.ts', 'development'],
    react: ['index.ts'],
    'cdn.ts': ['define.ts', 'index.ts', 'locales', 'page', 'development'],
  },
  'packages/widgets/src/elements': {
    scene: [],
    parts: ['scene'],
    base: ['scene', 'parts'],
    badge: ['scene', 'parts', 'base'],
    card: ['scene', 'parts', 'base'],
    control: ['scene', 'parts', 'base'],
    live: ['scene', 'parts', 'base'],
    provider: ['base'],
  },
  'packages/widgets/src/client': {
    token: [],
    transport: ['incoming.ts', 'json.ts', 'names.ts', 'request-id.ts'],
    link: ['token', 'transport', 'incoming.ts'],
  },
}

const zones = Object.entries(rooms).flatMap(([root, list]) =>
  Object.entries(list).map(([room, open]) => ({
    target: `./${root}/${room}`,
    from: `./${root}`,
    except: [room, ...open].map((name) => `./${name}`),
    message: `${room} may import only: ${open.join(', ') || 'nothing of this package'} (see eslint.config.js).`,
  })),
)

/** Packages that only one place may import. */
const owners = [
  { packages: '^(hono|@hono)(/|$)', owner: 'http/' },
  { packages: '^ws(/|$)', owner: 'http/ and mqtt/session/stream.ts' },
  { packages: '^mqtt(/|$)', owner: 'mqtt/session/session.ts' },
  { packages: '^postgres(/|$)', owner: 'db/' },
]

/**
 * postgres.js writes ROLLBACK to a socket that is gone where a session ends in the middle of `begin`, and throws where
 * nothing can catch it.
 */
const callee = (object) =>
  `CallExpression[callee.property.name=/^(begin|reserve)$/][callee.object${object}=/(sql|pool|tx|session)$/i]`
const transactions = [callee('.name'), callee('.property.name')].map((selector) => ({
  selector,
  message: 'Use transaction() of db/postgres/transaction.ts, or a lane.',
}))

/** Forbids what the owners in `not` do not own, in files outside of them. */
function owned(files, not) {
  const groups = owners.filter(({ owner }) => !not.includes(owner))
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: groups.map(({ packages, owner }) => ({
            regex: packages,
            message: `Only ${owner} imports this.`,
          })),
        },
      ],
    },
  }
}

const process = {
  name: 'process',
  message: 'Only main.ts and cli/ touch the process; take what you need as an argument.',
}

export default defineConfig(
  // Each example is a project of its own, whose dependencies are not installed here.
  globalIgnores(['**/dist', '**/cdn', '**/node_modules', '**/*.d.ts', 'examples']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['packages/*/src/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX },
    settings: {
      // Without these settings no-cycle finds nothing and says nothing.
      ...importX.flatConfigs.typescript.settings,
      'import-x/resolver-next': [
        createTypeScriptImportResolver({
          project: 'packages/*/tsconfig.json',
          noWarnOnMultipleProjects: true,
        }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      'import-x/no-extraneous-dependencies': 'error',
      'import-x/no-default-export': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: false },
      ],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      'max-depth': ['error', 3],
      // A switch over a union is one decision: that no case is missing is checked above.
      complexity: ['error', { max: 12, variant: 'modified' }],
      // Libraries hand out their classes as interfaces; the rule takes that for a mistake.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['bench/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      complexity: ['error', { max: 12, variant: 'modified' }],
    },
  },
  {
    files: ['packages/server/src/**/*.ts'],
    ignores: ['packages/server/src/main.ts', 'packages/server/src/cli/**'],
    rules: { 'no-restricted-globals': ['error', process] },
  },
  {
    files: ['packages/server/src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...transactions] },
  },
  owned(['packages/server/src/**/*.ts'], []),
  owned(['packages/server/src/http/**/*.ts'], ['http/', 'http/ and mqtt/session/stream.ts']),
  owned(['packages/server/src/mqtt/session/stream.ts'], ['http/ and mqtt/session/stream.ts']),
  owned(['packages/server/src/mqtt/session/session.ts'], ['mqtt/session/session.ts']),
  owned(['packages/server/src/db/**/*.ts', 'packages/server/src/embedded/**/*.ts'], ['db/']),
  {
    files: ['packages/widgets/src/client/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['lit', 'lit/*', '@lit/*'], message: 'The client knows no framework.' },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'HTMLElement', 'customElements'],
    },
  },
  {
    files: ['packages/widgets/src/**/*.ts'],
    ignores: ['packages/widgets/src/client/json.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'JSON',
          property: 'stringify',
          message: 'Use toJson: libraries of the page may define toJSON on prototypes.',
        },
        {
          object: 'Array',
          property: 'from',
          message:
            'Spread instead: Prototype.js and MooTools replace Array.from by functions that know only lists.',
        },
      ],
    },
  },
  {
    // A style sheet is not code: its lines are declarations.
    files: ['packages/widgets/src/**/*.styles.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    files: ['packages/*/src/**/*.test.ts'],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      complexity: 'off',
      // Test runners belong to the workspace, not to a package.
      'import-x/no-extraneous-dependencies': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
)
