import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the run a folder, and a prefix for its databases, that no other run has. */
export default async function globalSetup() {
  process.env.ROLLCALL_TEST_DIR = await mkdtemp(join(tmpdir(), 'rollcall-test-'));
  process.env.ROLLCALL_TEST_PREFIX = `rollcall_test_${process.pid}_${Date.now().toString(36)}`;
}
