// @ts-check
// The thread that the embedded database runs in. Plain JavaScript, so that it is the same file wherever it is loaded:
// in dist, and in tests, which run what is in src.
import { PGlite } from '@electric-sql/pglite';
import { Blob } from 'node:buffer';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * What the thread is started with.
 * @typedef {object} EngineData
 * @property {string} [directory] where the files are; absent: in memory
 * @property {Uint8Array<ArrayBuffer>} [dump] what a database in memory begins with, as a tar file
 * @property {Int32Array} unread how many parts of answers are on their way, shared by both threads
 */

/**
 * What the thread is asked: to run messages of PostgreSQL's protocol, to begin a session of its own, to close.
 * @typedef {{ kind: 'run', bytes: Uint8Array } | { kind: 'begin' } | { kind: 'close' }} Request
 */

/**
 * What the thread says: that it is ready for what comes next, or why it could not open; a part of an answer.
 * @typedef {{ kind: 'ready' } | { kind: 'failed', message: string }
 *   | { kind: 'part', bytes: Uint8Array, isLast: boolean }} Reply
 */

// In bytes. An answer goes in parts of this size, so that what takes them can do something else in between.
const partSize = 64 * 1024;
/** The most parts on their way: the engine waits until one of them was read. */
const mostUnread = 16;

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const data = /** @type {EngineData} */ (workerData);
const { directory, unread } = data;

/** @param {Reply} reply @param {ArrayBuffer[]} [transferred] */
const say = (reply, transferred = []) => port.postMessage(reply, transferred);

/** @param {Uint8Array} bytes what nobody else holds @param {boolean} isLast */
function sayPart(bytes, isLast) {
  Atomics.add(unread, 0, 1);
  say({ kind: 'part', bytes, isLast }, [/** @type {ArrayBuffer} */ (bytes.buffer)]);
}

/** Waits until few enough parts are unread. */
function waitForReader() {
  for (;;) {
    const count = Atomics.load(unread, 0);
    if (count < mostUnread) return;
    Atomics.wait(unread, 0, count);
  }
}

let part = new Uint8Array(partSize);
let filled = 0;

/** Adds to the part that is being filled, and says it when it is full. @param {Uint8Array} bytes what changes afterwards */
function add(bytes) {
  for (let rest = bytes; rest.length > 0;) {
    const fitting = rest.subarray(0, partSize - filled);
    part.set(fitting, filled);
    filled += fitting.length;
    rest = rest.subarray(fitting.length);
    if (filled < partSize) return;
    waitForReader();
    sayPart(part, false);
    part = new Uint8Array(partSize);
    filled = 0;
  }
}

/**
 * Runs messages and says what they are answered.
 * @param {PGlite} database
 * @param {Uint8Array} bytes
 */
async function run(database, bytes) {
  await database.execProtocolRawStream(bytes, { onRawData: add });
  sayPart(part.slice(0, filled), true);
  filled = 0;
}

/** Leaves nothing of the session that was before. @param {PGlite} database */
async function begin(database) {
  await database.exec('ROLLBACK');
  await database.exec('DISCARD ALL');
}

/** @param {PGlite} database @param {Request} request */
async function answer(database, request) {
  switch (request.kind) {
    case 'run':
      return run(database, request.bytes);
    case 'begin':
      await begin(database);
      return say({ kind: 'ready' });
    case 'close':
      await database.close();
      return say({ kind: 'ready' });
  }
}

try {
  // PostgreSQL does not start where an earlier start ended while it wrote this file. That nobody else has the directory is
  // known already, by our own lock.
  if (directory !== undefined) rmSync(join(directory, 'postmaster.pid'), { force: true });
  const database = await PGlite.create({
    ...(directory === undefined ? {} : { dataDir: directory }),
    ...(data.dump === undefined ? {} : { loadDataDir: new Blob([data.dump]) }),
  });
  // It is large, and nobody needs it any more.
  delete data.dump;
  // What fails here is no answer of the database but a defect of its engine, and ends the thread.
  port.on('message', (request) => void answer(database, request));
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
}
