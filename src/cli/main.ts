#!/usr/bin/env node
import 'reflect-metadata';
import { readConfig } from '../config.js';
import { onStopSignal } from '../ops/stop-signals.js';
import { run } from './program.js';
import { withDatabase } from './services.js';
import { processTerminal } from './terminal.js';

onStopSignal();
const surroundings = { terminal: processTerminal(), readConfig, withDatabase };
process.exitCode = await run(process.argv.slice(2), surroundings, () => import('../main.js'));
