import { Pool } from 'undici';
import type { ServerProcess } from './process.js';

/** One request of a row. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: string;
}

/** What a load did. Times in milliseconds. */
export interface Measurement {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuPerRequest: number;
}

/**
 * Sends requests over a number of connections, each as soon as the one before is answered.
 * @param next makes the request with this number
 * @throws Error when one is not answered with 2xx
 */
export async function load(
  server: ServerProcess,
  headers: Readonly<Record<string, string>>,
  next: (number: number) => LoadRequest,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Measurement> {
  const pool = new Pool(server.origin, { connections, pipelining: 1 });
  const times: number[] = [];
  const cpuBefore = server.cpu();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let number = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < end) {
      const request = next(number++);
      const sent = performance.now();
      const answer = await pool.request({ ...request, headers });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${request.method} ${request.path}: ${answer.statusCode} ${text}`);
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const elapsed = (performance.now() - begun) / 1000;
  const cpu = server.cpu() - cpuBefore;
  await pool.close();
  times.sort((a, b) => a - b);
  const percentile = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return {
    perSecond: times.length / elapsed,
    p50: percentile(0.5),
    p99: percentile(0.99),
    cpuPerRequest: (cpu / times.length) * 1000,
  };
}
