import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../scim/index.js';
import { Masking } from './masking.js';

const id = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';

describe('the path of a request', () => {
  it.each([
    [`/scim/v2/Users/${id}`, `/scim/v2/Users/${id}`],
    ['/tenants/acme/scim/v2/Groups/.search', '/tenants/acme/scim/v2/Groups/.search'],
    ['/scim/v2/Users/barbara@example.com', '/scim/v2/Users/***'],
    ['/scim/v2/Users/b%C3%A1rbara', '/scim/v2/Users/***'],
    ['/scim/v2/Users?count=5&startIndex=1', '/scim/v2/Users?count&startIndex'],
    ['/scim/v2/Users?filter=userName+eq+%22barbara%22&count=1', '/scim/v2/Users?filter=userName eq "***"&count'],
    ['/scim/v2/Users?barbara%40example.com', '/scim/v2/Users?***'],
    ['/scim/v2/Users?filter=%E0%A4%A', '/scim/v2/Users?filter=***'],
    ['/scim/v2/Users?a=1?b=barbara', '/scim/v2/Users?a'],
  ])('%s is kept as %s', (url, masked) => {
    expect(new Masking().url(url)).toBe(masked);
  });
});

describe('a filter', () => {
  it.each([
    ['userName eq "barbara"', 'userName eq "***"'],
    ['not (emails[type eq "work" and value co "@example.com"])', 'not (emails[type eq "***" and value co "***"])'],
    ['emails[type eq "work"].value sw "b"', 'emails[type eq "***"].value sw "***"'],
    [`members eq "${id}" or title pr`, `members eq "${id}" or title pr`],
    ['active eq true and meta.created gt "2026-01-01T00:00:00Z"', 'active eq true and meta.created gt "***"'],
    [
      'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "b"',
      'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "***"',
    ],
    // What is no filter is hidden, too.
    ["userName eq 'Barbara Jensen'", 'userName eq *** ***'],
    ['userName eq barbara', 'userName eq ***'],
    ['barbara', '***'],
    ['userName eq "barbara', 'userName eq "***"'],
    ['userName eq "bar\\"bara', 'userName eq "***"'],
    ['age gt 42', 'age gt ***'],
    ['', ''],
  ])('%s is kept as %s', (filter, masked) => {
    expect(new Masking().filter(filter)).toBe(masked);
  });
});

describe('a body', () => {
  it.each<[string, JsonValue, JsonValue]>([
    [
      'a user',
      {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        id,
        externalId: 'barbara',
        userName: 'barbara',
        name: { familyName: 'Jensen' },
        emails: [{ value: 'b@example.com', primary: true }],
        active: true,
        loginCount: 4,
        nickName: null,
      },
      {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        id,
        externalId: '***',
        userName: '***',
        name: { familyName: '***' },
        emails: [{ value: '***', primary: true }],
        active: true,
        loginCount: '***',
        nickName: null,
      },
    ],
    [
      'a patch',
      {
        Operations: [
          { op: 'Replace', path: 'emails[type eq "work" and value eq "b@example.com"].value', value: 'b@example.org' },
          { op: 'add', path: 'name.familyName', value: 'Jensen' },
          { op: 'add', path: 'members', value: [{ value: id }] },
          { op: 'remove', path: `members[value eq "${id}"]` },
          { op: 'replace', value: { active: 'False', 'emails[value eq "b@example.com"].type': 'home' } },
        ],
      },
      {
        Operations: [
          { op: 'Replace', path: 'emails[type eq "***" and value eq "***"].value', value: '***' },
          { op: 'add', path: 'name.familyName', value: '***' },
          { op: 'add', path: 'members', value: [{ value: id }] },
          { op: 'remove', path: `members[value eq "${id}"]` },
          { op: 'replace', value: { active: 'False', 'emails[value eq "***"].type': '***' } },
        ],
      },
    ],
    [
      'a bulk request',
      {
        failOnErrors: 1,
        Operations: [{ method: 'POST', path: '/Users', bulkId: 'q1', data: { manager: { value: 'bulkId:q1' } } }],
      },
      {
        failOnErrors: 1,
        Operations: [{ method: 'POST', path: '/Users', bulkId: 'q1', data: { manager: { value: 'bulkId:q1' } } }],
      },
    ],
    ['a search', { filter: 'userName eq "barbara"', count: 10 }, { filter: 'userName eq "***"', count: 10 }],
    ['names that are no names', { 'b@example.com': 1 }, { '***': '***' }],
    ['no object', 'barbara', '***'],
  ])('of %s keeps its shape', (_what, body, masked) => {
    expect(new Masking().body(body)).toEqual(masked);
  });

  it('is cut where it is long, and stays JSON', () => {
    const body = { members: Array.from({ length: 100_000 }, () => ({ value: id, display: 'Barbara' })) };
    const masked = new Masking().body(body) as { members: JsonValue[] };
    expect(JSON.stringify(masked).length).toBeLessThan(8_192 + 512);
    expect(masked.members.at(0)).toEqual({ value: id, display: '***' });
    expect(masked.members.at(-1)).toBe('…');
  });

  it('does not reach into prototypes', () => {
    const body = JSON.parse('{"__proto__":{"userName":"barbara"}}') as JsonValue;
    const masked = new Masking().body(body) as object;
    expect(JSON.stringify(masked)).toBe('{"***":{"userName":"***"}}');
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
  });
});

describe("an error's detail", () => {
  const detail = (text: string, body: JsonValue = {}): string => {
    const masking = new Masking();
    masking.body(body);
    return masking.detail(text);
  };

  it.each([
    ['"nickname" is no attribute.', '"nickname" is no attribute.'],
    [`There is no User ${JSON.stringify(id)}.`, `There is no User ${JSON.stringify(id)}.`],
    ['The value "Barbara Jensen" is no date.', 'The value "***" is no date.'],
    ['The value "b@example.com" is no reference.', 'The value "***" is no reference.'],
    ['There is nothing at "/scim/v2/Userz".', 'There is nothing at "/scim/v2/Userz".'],
    ['There is nothing at "/scim/v2/b@example.com".', 'There is nothing at "***".'],
    ['The value "{\\"a\\":\\"b\\"}" is no text.', 'The value "***" is no text.'],
    ['It ends in the middle of "barb', 'It ends in the middle of "***"'],
  ])('%s is kept as %s', (text, masked) => {
    expect(detail(text)).toBe(masked);
  });

  it('hides what looks like a name and was sent as a value', () => {
    expect(detail('"barbara" is taken by another "userName".', { userName: 'barbara' })).toBe(
      '"***" is taken by another "userName".',
    );
    const long = 'b'.repeat(100);
    expect(detail(`${JSON.stringify(`${'b'.repeat(80)}…`)} is taken.`, { userName: long })).toBe('"***" is taken.');
  });
});
