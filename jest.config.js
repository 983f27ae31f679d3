const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
      },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    },
  ],
};

const project = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform,
  setupFiles: ['<rootDir>/test/support/seed.js'],
};

// What the embedded database has for itself, and what matters most to people who try Rollcall on it.
const onEmbedded = [
  '<rootDir>/test/*.spec.ts',
  '<rootDir>/test/{admin,clients,http,limits,oauth,property,rfc}/**/*.spec.ts',
  '<rootDir>/test/database/{backup,embedded*,kill,migrations,restart,tenancy}.spec.ts',
];
const everything = ['<rootDir>/test/**/*.spec.ts'];

// All of it on PostgreSQL, when it is asked for, and when files are named.
const isWhole =
  Boolean(process.env.DATABASE_URL) ||
  process.env.TESTS === 'all' ||
  process.argv.slice(2).some((argument) => !argument.startsWith('-'));

/** @type {import('jest').Config} */
export default {
  projects: [
    // The protocol core: no server, no database.
    { ...project, displayName: 'core', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    // The server over HTTP, on DATABASE_URL or else on embedded databases.
    {
      ...project,
      displayName: 'app',
      testMatch: isWhole ? everything : onEmbedded,
      globalSetup: '<rootDir>/test/support/global-setup.js',
      globalTeardown: '<rootDir>/test/support/global-teardown.js',
    },
  ],
  collectCoverageFrom: ['src/**/*.ts'],
  coverageDirectory: 'coverage',
  // The protocol core is covered to the last branch.
  coverageThreshold: { './src/scim/': { lines: 100, branches: 100, functions: 100, statements: 100 } },
  maxWorkers: 2,
  // What a file loaded is not given back: a worker that has grown large is slow, so it makes way for a new one.
  workerIdleMemoryLimit: '1GB',
  // Long enough for a machine that has much else to do; no test waits for time to pass.
  testTimeout: 90000,
};
