// Loaded before a server (NODE_OPTIONS=--import): at SIGUSR2 it collects all garbage and writes a line with what is left,
// in bytes: `memory N {"heapUsed": …}`, N counting from 1. What the system has given to the process tells nothing: it is
// not given back at once.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
let asked = 0;

process.on('SIGUSR2', () => {
  collect();
  const { heapUsed } = process.memoryUsage();
  process.stdout.write(`memory ${++asked} ${JSON.stringify({ heapUsed })}\n`);
});
