import { request } from 'node:http';
import type { ServerProcess } from './process.js';

/** One read of a resource. Times in milliseconds. */
export interface Read {
  readonly firstByte: number;
  readonly total: number;
  readonly bytes: number;
}

/** Reads a resource to its end, keeping nothing of it. */
export function read(server: ServerProcess, path: string, headers: Readonly<Record<string, string>>): Promise<Read> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    let firstByte = 0;
    let bytes = 0;
    const sent = request(server.origin + path, { headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${path}: ${answer.statusCode}`));
      answer.on('data', (chunk: Buffer) => {
        if (bytes === 0) firstByte = performance.now() - begun;
        bytes += chunk.length;
      });
      answer.on('end', () => resolve({ firstByte, total: performance.now() - begun, bytes }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
