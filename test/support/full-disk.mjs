// Loaded before a server (NODE_OPTIONS=--import): while the file FULL_DISK names is there, no file under the folder that
// it holds the name of can grow, as on a disk that is full. What has its place on the disk can still be written.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { writeSync } = fs;
const flag = process.env.FULL_DISK;

/** The folder whose disk is full; undefined for none. */
function fullFolder() {
  try {
    return fs.readFileSync(flag, 'utf8');
  } catch {
    return undefined;
  }
}

fs.writeSync = (fd, data, ...rest) => {
  const [offset, length, position] = rest;
  const folder = fullFolder();
  if (folder !== undefined && fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)) {
    const end = (position ?? 0) + (length ?? data.length - (offset ?? 0));
    if (end > fs.fstatSync(fd).size) {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
        code: 'ENOSPC',
        errno: -28,
        syscall: 'write',
      });
    }
  }
  return writeSync(fd, data, ...rest);
};
syncBuiltinESMExports();
