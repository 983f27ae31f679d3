// Runs one attack in a process of its own: its work must not slow the one that measures.
// Usage: node dist/bench/attacker.js NAME ORIGIN TOKEN; writes "ready" when it is prepared, begins at a line of standard
// input, and ends with the process that started it.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { AttackerClient, attacks, run } from './attacks.js';

const [name = '', origin = '', token = ''] = process.argv.slice(2);
const attack = attacks[name];
if (!attack) throw new Error(`There is no attack ${name}`);
const client = new AttackerClient({ origin, token });
const lines = createInterface(process.stdin);
lines.once('close', () => process.exit(0));
await attack.prepare?.(client);
process.stdout.write('ready\n');
await once(lines, 'line');
await run(attack, client, new AbortController().signal);
