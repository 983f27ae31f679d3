import { describe, expect, it } from '@jest/globals';
import { sourceOf } from '../../src/limits/source-address.js';

describe('where a request comes from', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
  ])('is, of %s, %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });

  it('is the first that is an address: a proxy may pass on anything', () => {
    for (const nonsense of ['unknown', '', '1', '0x7f000001', '203.0.113.7:80', '203.0.113', "'; DROP", undefined]) {
      expect(sourceOf(nonsense, '198.51.100.1')).toBe('198.51.100.1');
    }
  });

  it('is one for all whose address is not known', () => {
    expect([sourceOf(undefined, undefined), sourceOf('nonsense')]).toEqual(['unknown', 'unknown']);
  });
});
