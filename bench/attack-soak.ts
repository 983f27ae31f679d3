// All attacks at once, for as long as is wanted, each by a tenant of its own, beside a quiet tenant: nothing of its may fail.
// Usage: npm run soak:attacks -- [MINUTES]   10 unless said otherwise; on DATABASE_URL (an empty database) or the embedded
// database. The server has a heap of 512 MB. Ends with 1 when the server ended or a request of the quiet tenant failed.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attacks } from './attacks.js';
import { Neighbour, startAttack, Tenants } from './neighbour.js';
import { startServer } from './process.js';

const minutes = Number(process.argv[2] ?? 10);
const windowSeconds = 15;
const adminToken = randomBytes(32).toString('base64url');
const directory = await mkdtemp(join(tmpdir(), 'rollcall-attacks-'));
const server = await startServer('dist/src/main.js', 33_005, '/readyz', {
  ...(process.env['DATABASE_URL'] === undefined ? { DATA_DIR: directory } : {}),
  ADMIN_TOKEN: adminToken,
  LOG_LEVEL: 'fatal',
  NODE_OPTIONS: '--max-old-space-size=512',
});
const tenants = new Tenants(server.origin, adminToken);
const neighbour = await Neighbour.create(server, tenants);
const running = [];
for (const name of Object.keys(attacks)) {
  running.push(await startAttack(name, server.origin, await tenants.create(`attacker-${running.length}`)));
}
for (const attack of running) attack.begin();
const failures = new Map<string, number>();
const end = performance.now() + minutes * 60_000;
while (performance.now() < end) {
  const noticed = await neighbour.watch(windowSeconds);
  for (const [what, count] of noticed.failures) failures.set(what, (failures.get(what) ?? 0) + count);
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const { reads, probes } = noticed;
  const p99 = reads[Math.floor(reads.length * 0.99)] ?? NaN;
  console.log(
    `${(minutes - (end - performance.now()) / 60_000).toFixed(1)} min  ${reads.length} reads, p99 ${p99.toFixed(0)} ms, ` +
      `/livez at most ${probes.at(-1)?.toFixed(0)} ms, ${failed} failed, peak memory ${server.peakMemory().toFixed(0)} MiB`,
  );
}
await Promise.all(running.map((attack) => attack.stop()));
await server.stop();
await rm(directory, { recursive: true, force: true });
for (const [what, count] of failures) console.error(`${count} x ${what}`);
process.exit(failures.size === 0 ? 0 : 1);
