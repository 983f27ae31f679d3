#!/usr/bin/env node
import { onStopSignal } from '../ops/stop-signals.js';
import type { Surroundings } from './command.js';
import { run } from './program.js';
import { processTerminal } from './terminal.js';

onStopSignal();
/** What takes time to load is loaded by the commands that need it. */
const surroundings: Surroundings = {
  terminal: processTerminal(),
  readConfig: async () => (await import('../config.js')).readConfig(),
  withDatabase: async (...given) => (await import('./open-database.js')).withDatabase(...given),
  findServer: async (dataDir) => (await import('../persistence/server-address.js')).findServer(dataDir),
};
process.exitCode = await run(process.argv.slice(2), surroundings, () => import('../main.js'));
