import { describe, expect, it } from '@jest/globals';
import type { Config } from '../../src/config.js';
import { BytesInFlight, smallBytes } from '../../src/limits/bytes-in-flight.js';
import { availableMemory } from '../../src/limits/memory.js';

const mebibyte = 2 ** 20;

describe('The account of bytes in flight', () => {
  const account = (): BytesInFlight => new BytesInFlight({ requestMemoryMegabytes: 64 } as Config);

  it('has a bound for the process and a quarter of it for each tenant', () => {
    expect(account()).toMatchObject({ limit: 64 * mebibyte, tenantLimit: 16 * mebibyte, held: 0 });
  });

  it('refuses what a tenant holds beyond its part with 429 and Retry-After, and nobody else', () => {
    const bytes = account();
    bytes.hold('a', 10 * mebibyte);
    expect(() => bytes.hold('a', 5 * mebibyte)).toThrow(
      expect.objectContaining({ row: 'tooManyRequests', headers: { 'Retry-After': '1' } }),
    );
    expect(bytes.hold('b', 10 * mebibyte).bytes).toBe(10 * mebibyte);
    expect(bytes).toMatchObject({ held: 20 * mebibyte, refused: { tenant: 1, process: 0 } });
  });

  it('refuses what all hold beyond the bound of the process with 503 and Retry-After', () => {
    const bytes = account();
    for (const tenant of ['a', 'b', 'c', 'd']) bytes.hold(tenant, 14 * mebibyte);
    expect(() => bytes.hold('e', mebibyte)).toThrow(
      expect.objectContaining({ row: 'unavailable', headers: { 'Retry-After': '2' } }),
    );
  });

  it('keeps a reserve for small holders, of the tenant and of the process', () => {
    const bytes = account();
    bytes.hold('a', 14 * mebibyte);
    expect(() => bytes.hold('a', smallBytes + 1)).toThrow();
    expect(bytes.hold('a', smallBytes).bytes).toBe(smallBytes);
    for (const tenant of ['b', 'c', 'd']) bytes.hold(tenant, 13.9 * mebibyte);
    expect(() => bytes.hold('e', mebibyte)).toThrow();
    expect(bytes.hold('e', smallBytes).bytes).toBe(smallBytes);
  });

  it('lets a holder that is alone have what it needs', () => {
    const bytes = account();
    const held = bytes.hold('a', 100 * mebibyte);
    held.resize(200 * mebibyte);
    expect(bytes.held).toBe(200 * mebibyte);
    expect(() => bytes.hold('b', 1)).toThrow();
  });

  it('leaves as much held as before when more is refused', () => {
    const bytes = account();
    bytes.hold('a', mebibyte);
    const held = bytes.hold('a', mebibyte);
    expect(() => held.resize(20 * mebibyte)).toThrow();
    expect(held.bytes).toBe(mebibyte);
    expect(bytes.heldBy('a')).toBe(2 * mebibyte);
  });

  it('gives back what is released, once, and forgets tenants that hold nothing', () => {
    const bytes = account();
    const held = bytes.hold('a', mebibyte);
    held.resize(2 * mebibyte);
    held.release();
    held.release();
    held.resize(mebibyte);
    expect(bytes).toMatchObject({ held: 0, tenants: new Map() });
  });
});

describe('The memory that there is', () => {
  const files =
    (contents: Readonly<Record<string, string>>) =>
    (file: string): string => {
      const content = contents[file];
      if (content === undefined) throw new Error('ENOENT');
      return content;
    };
  const [v2, v1] = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];
  const heap = 2 ** 31;

  it.each([
    ['the heap without control groups', {}, heap],
    ['the heap where version 2 sets no limit', { [v2]: 'max\n' }, heap],
    ['the heap where version 1 sets no limit', { [v1]: '9223372036854771712\n' }, heap],
    ['the limit of version 2', { [v2]: '1073741824\n' }, 2 ** 30],
    ['the limit of version 1', { [v1]: '536870912\n' }, 2 ** 29],
    ['the heap where the limit is larger', { [v2]: '8589934592\n' }, heap],
  ])('is %s', (_, contents, expected) => {
    expect(availableMemory(files(contents), heap)).toBe(expected);
  });
});
