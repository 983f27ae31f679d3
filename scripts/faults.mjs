// The exactness and fault tests in their long form: kill -9, outages, restarts, failovers and full disks, many times over.
// Usage: npm run faults -- [ROUNDS]   20 unless said otherwise; on the embedded database, and on DATABASE_URL where it is set.
import { spawnSync } from 'node:child_process';

const rounds = Number(process.argv[2] ?? 20);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('The number of rounds must be a whole number, 1 or more');
  process.exit(2);
}

const specs = [
  ...['kill', 'outage', 'serial-order', 'two-servers', 'abandoned-requests', 'directory-counts'].map(
    (name) => `database/${name}`,
  ),
  ...['rolling-restart', 'failover'].map((name) => `deploy/${name}`),
];
const jest = [
  '--experimental-vm-modules',
  '--no-warnings',
  'node_modules/jest/bin/jest.js',
  '--maxWorkers=1',
  '--verbose',
];
const { DATABASE_URL: server, ...environment } = process.env;
const databases = [['the embedded database', {}], ...(server ? [['PostgreSQL', { DATABASE_URL: server }]] : [])];

for (const [name, where] of databases) {
  console.log(`${rounds} rounds on ${name}`);
  const files = specs.map((spec) => `test/${spec}.spec.ts`);
  const env = { ...environment, ...where, FAULT_ROUNDS: String(rounds) };
  const { status } = spawnSync(process.execPath, [...jest, ...files], { env, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
