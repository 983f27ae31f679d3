// Loaded before a server (NODE_OPTIONS=--import): the thread of the embedded database exits by itself when it writes a
// file, as long as the file ENGINE_EXIT has a number above 0, which it then counts down.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { writeSync } = fs;
const flag = process.env.ENGINE_EXIT;

/** How often it is still to exit. */
function left() {
  try {
    return Number(fs.readFileSync(flag, 'utf8'));
  } catch {
    return 0;
  }
}

if (!isMainThread) {
  fs.writeSync = (...args) => {
    const times = left();
    if (times > 0) {
      fs.writeFileSync(flag, String(times - 1));
      process.exit(7);
    }
    return writeSync(...args);
  };
  syncBuiltinESMExports();
}
