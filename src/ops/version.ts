import { existsSync, readFileSync } from 'node:fs';

/** Rollcall's version, from its package.json, which stands above both the sources and what is built of them. */
export function version(): string {
  const found = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (!found) throw new Error('package.json is missing: it belongs beside the folder of the program.');
  return (JSON.parse(readFileSync(found, 'utf8')) as { version: string }).version;
}
