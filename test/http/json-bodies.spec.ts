import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { limits } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
let user: Resource;

beforeAll(async () => {
  server = await startServer();
  user = (await server.scim.post('/Users', { userName: 'json@example.com', displayName: 'Json' })).body;
});

afterAll(() => server.close());

/** Whatever was sent, there is one user, and it is as it was. */
afterEach(async () => {
  expect((await server.scim.list('/Users')).body.Resources).toEqual([user]);
});

const patchOp = (operation: string): string =>
  `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[${operation}]}`;

/** Sends the body of each method that has one to where it belongs. */
const writes: [method: string, path: () => string][] = [
  ['POST', () => '/Users'],
  ['PUT', () => `/Users/${user.id}`],
  ['PATCH', () => `/Users/${user.id}`],
];

async function refused(method: string, path: string, body: string | Uint8Array<ArrayBuffer>): Promise<unknown> {
  const answer = await server.scim.send(method, path, body);
  return { status: answer.status, body: answer.body };
}

const post = (body: string | Uint8Array<ArrayBuffer>): Promise<unknown> => refused('POST', '/Users', body);
const refusal = (status: number, scimType?: string, detail?: unknown): object => ({
  status,
  body: scimError(status, scimType, detail),
});

describe('a body that is not one JSON object (RFC 7644 section 3.8, RFC 8259)', () => {
  const notAnObject: [string, string][] = [
    ['nothing', ''],
    ['whitespace', ' \r\n\t'],
    ['an array', '[{"userName":"a"}]'],
    ['a string', '"userName"'],
    ['a number', '42'],
    ['null', 'null'],
    ['true', 'true'],
    ['a text that ends early', '{"userName":"a'],
    ['two objects', '{}{}'],
    ['an object and more', '{"userName":"a"} x'],
    ['a comment', '{/* who */"userName":"a"}'],
    ['single quotes', "{'userName':'a'}"],
    ['a key without quotes', '{userName:"a"}'],
    ['a trailing comma in an object', '{"userName":"a",}'],
    ['a trailing comma in an array', '{"userName":"a","emails":[1,]}'],
    ['NaN', '{"userName":"a","title":NaN}'],
    ['Infinity', '{"userName":"a","title":Infinity}'],
    ['-Infinity', '{"userName":"a","title":-Infinity}'],
    ['a leading zero', '{"userName":"a","title":01}'],
    ['a hexadecimal number', '{"userName":"a","title":0x10}'],
    ['a bare control character in a string', '{"userName":"a\nb"}'],
    ['an unknown escape', '{"userName":"\\x41"}'],
    ['a form', 'userName=a'],
    ['XML', '<User/>'],
  ];

  describe.each(writes)('in %s', (method, path) => {
    it.each(notAnObject)('is refused: %s', async (_what, body) => {
      expect(await refused(method, path(), body)).toEqual(refusal(400, 'invalidSyntax'));
    });
  });

  it('says so when it is empty', async () => {
    expect(await post('')).toEqual(refusal(400, 'invalidSyntax', 'The body is empty; send a JSON object.'));
  });
});

describe('the encoding of a body (RFC 7644 section 3.8, RFC 8259 section 8.1)', () => {
  it.each([
    ['a continuation byte that is none', [0xc3, 0x28]],
    ['an overlong U+0000', [0xc0, 0x80]],
    ['a byte that no character has', [0xff]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a character cut short', [0xf0, 0x9f, 0x98]],
  ])('is UTF-8: %s is refused', async (_what, bytes) => {
    const body = new Uint8Array(Buffer.concat([Buffer.from('{"userName":"'), Buffer.from(bytes), Buffer.from('"}')]));
    expect(await post(body)).toEqual(
      refusal(400, 'invalidSyntax', 'The body is not valid UTF-8; encode the JSON text in UTF-8.'),
    );
  });

  it('may start with a byte order mark', async () => {
    const created = await server.scim.send<Resource>('POST', '/Users', '\ufeff{"userName":"bom@example.com"}');
    expect([created.status, created.body['userName']]).toEqual([201, 'bom@example.com']);
    expect((await server.scim.delete(`/Users/${created.body.id}`)).status).toBe(204);
  });

  it('is not UTF-16, with or without a byte order mark', async () => {
    const utf16 = Buffer.from('\ufeff{"userName":"a"}', 'utf16le');
    expect(await post(new Uint8Array(utf16))).toEqual(refusal(400, 'invalidSyntax'));
    expect(await post(new Uint8Array(utf16.subarray(2)))).toEqual(refusal(400, 'invalidSyntax'));
  });
});

describe('characters that PostgreSQL cannot hold', () => {
  it.each([
    ['U+0000 in the userName', '{"userName":"a\\u0000b"}'],
    ['U+0000 in another string', '{"userName":"a","displayName":"\\u0000"}'],
    ['U+0000 in an attribute that is not known', '{"userName":"a","shoes":"\\u0000"}'],
    ['U+0000 in the password', '{"userName":"a","password":"\\u0000"}'],
    ['U+0000 in an element', '{"userName":"a","emails":[{"value":"\\u0000"}]}'],
    ['a lone high surrogate', '{"userName":"a","title":"\\ud800"}'],
    ['a lone low surrogate', '{"userName":"a","title":"\\udc00"}'],
    ['surrogates the wrong way round', '{"userName":"a","title":"\\udc00\\ud800"}'],
  ])('are refused in values: %s', async (_what, body) => {
    expect(await post(body)).toEqual(refusal(400, 'invalidValue'));
  });

  it('are refused in keys', async () => {
    expect(await post('{"userName":"a","x\\u0000":1}')).toEqual(refusal(400, 'invalidSyntax'));
    expect(await post('{"userName":"a","x\\ud800":1}')).toEqual(refusal(400, 'invalidSyntax'));
  });

  it('are refused in the value and the path of a PATCH operation', async () => {
    const path = `/Users/${user.id}`;
    const value = patchOp('{"op":"replace","path":"title","value":"\\u0000"}');
    expect(await refused('PATCH', path, value)).toEqual(refusal(400, 'invalidValue'));
    const inPath = patchOp('{"op":"replace","path":"ti\\u0000tle","value":"x"}');
    expect(await refused('PATCH', path, inPath)).toEqual(refusal(400, 'invalidValue'));
  });

  it('are not confused with a pair of surrogates, or with the characters of an escape', async () => {
    const body = '{"userName":"pair@example.com","title":"\\ud83d\\ude00 \\\\u0000"}';
    const created = await server.scim.send<Resource>('POST', '/Users', body);
    expect([created.status, created.body['title']]).toEqual([201, '😀 \\u0000']);
    expect((await server.scim.delete(`/Users/${created.body.id}`)).status).toBe(204);
  });
});

describe('keys (RFC 7643 section 2.1)', () => {
  it.each([
    ['the same key', '{"userName":"a","active":true,"active":false}'],
    ['keys that differ in case', '{"userName":"a","UserName":"b"}'],
    ['keys that differ in an escape', '{"userName":"a","user\\u004eame":"b"}'],
    ['sub-attributes', '{"userName":"a","name":{"givenName":"A","GIVENNAME":"B"}}'],
    ['sub-attributes of an element', '{"userName":"a","emails":[{"value":"a","Value":"b"}]}'],
    ['keys that are not known', '{"userName":"a","x":1,"X":2}'],
  ])('must not be given twice: %s', async (_what, body) => {
    expect(await post(body)).toEqual(refusal(400, 'invalidSyntax'));
  });

  const inherited = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf'];

  it.each(inherited)('may be called %s, which means nothing', async (key) => {
    const body = `{"userName":"${key}@example.com","${key}":{"admin":true},"name":{"${key}":"x","givenName":"G"}}`;
    const created = await server.scim.send<Resource>('POST', '/Users', body);
    const { schemas, id, meta } = created.body;
    expect({ status: created.status, body: created.body }).toEqual({
      status: 201,
      body: { schemas, id, meta, userName: `${key}@example.com`, name: { givenName: 'G' }, active: true },
    });
    expect(Object.keys(created.body).sort()).toEqual(['active', 'id', 'meta', 'name', 'schemas', 'userName']);
    expect((await server.scim.delete(`/Users/${id}`)).status).toBe(204);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it.each(inherited)('name no attribute in a PATCH path when they are called %s', async (key) => {
    const path = `/Users/${user.id}`;
    const operation = patchOp(`{"op":"add","path":"${key}","value":{"admin":true}}`);
    expect(await refused('PATCH', path, operation)).toEqual(refusal(400, 'invalidPath'));
    const dotted = patchOp(`{"op":"add","value":{"${key}.admin":true}}`);
    expect(await refused('PATCH', path, dotted)).toEqual(refusal(400, 'invalidPath'));
    const urn = patchOp(`{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:${key}","value":1}`);
    expect(await refused('PATCH', path, urn)).toEqual(refusal(400, 'invalidPath'));
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });
});

describe('size and depth', () => {
  it.each([
    ['objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
    ['arrays', `{"userName":"a","x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['arrays that never end', '['.repeat(1_000_000)],
  ])('of %s are bounded: 10,000 deep is refused', async (_what, body) => {
    expect(await post(body)).toEqual(
      refusal(400, 'invalidSyntax', `The body nests objects and arrays more than ${limits.jsonDepth} deep.`),
    );
  });

  it.each(['emails', 'unknown'])('of an array are bounded, also where the name is not known: %s', async (name) => {
    const body = `{"userName":"a","${name}":[${'1,'.repeat(limits.arrayElements)}1]}`;
    expect(await post(body)).toEqual(refusal(413, undefined, 'An array of the body has more than 10000 elements.'));
  });

  it('of the members of a new group are bounded', async () => {
    const body = `{"displayName":"g","members":[${'1,'.repeat(limits.resourceMembers)}1]}`;
    expect(await refused('POST', '/Groups', body)).toEqual(
      refusal(413, undefined, 'An array of the body has more than 100000 elements.'),
    );
    expect((await server.scim.list('/Groups')).body.totalResults).toBe(0);
  });

  it.each([
    ['userName', 'userName', limits.indexedLength],
    ['displayName', 'displayName', limits.indexedLength],
    ['externalId', 'externalId', limits.indexedLength],
    ['nickName', 'nickName', limits.stringLength],
    ['password', 'password', limits.passwordLength],
  ])('of a string are bounded: %s', async (_what, name, longest) => {
    const body = JSON.stringify({ userName: 'a', [name]: 'a'.repeat(longest + 1) });
    expect(await post(body)).toEqual(refusal(400, 'invalidValue', `${name} is longer than ${longest} characters.`));
  });

  it('of a string are bounded by the body at last', async () => {
    expect(await post(JSON.stringify({ userName: 'a', displayName: 'a'.repeat(10_000_000) }))).toEqual(
      refusal(413, undefined, 'The body is larger than 1048576 bytes.'),
    );
  });

  it.each([
    ['beyond a double', '1e400'],
    ['with 400 digits', '9'.repeat(400)],
    ['beyond 64 bits', '9223372036854775808'],
    ['beyond what a double holds exactly', '9007199254740993'],
  ])('of a number are bounded, also where the name is not known: %s', async (_what, number) => {
    expect(await post(`{"userName":"a","x":${number}}`)).toEqual(refusal(400, 'invalidValue'));
  });
});

describe('types (RFC 7643 section 2.3)', () => {
  it.each([
    ['userName', '5'],
    ['userName', '{}'],
    ['userName', '["a"]'],
    ['userName', 'true'],
    ['userName', '-0'],
    ['userName', '1.0000000000000000001'],
    ['active', '"yes"'],
    ['active', '1'],
    ['active', '{}'],
    ['emails', '"a@example.com"'],
    ['emails', '["a@example.com"]'],
    ['emails', '[{"value":5}]'],
    ['emails', '[{"primary":"maybe"}]'],
    ['emails', '[{"value":"a","primary":true},{"value":"b","primary":true}]'],
    ['name', '"Ada"'],
    ['name', '[{"givenName":"Ada"}]'],
    ['name', '{"givenName":["Ada"]}'],
    ['x509Certificates', '[{"value":"not base64!"}]'],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', '"Sales"'],
  ])('of %s do not allow %s', async (name, value) => {
    const body = name === 'userName' ? `{"userName":${value}}` : `{"userName":"a","${name}":${value}}`;
    expect(await post(body)).toEqual(refusal(400, 'invalidValue'));
  });

  it.each(['"urn:ietf:params:scim:schemas:core:2.0:User"', '5', '{}', '[5]', '[null]'])(
    'of schemas do not allow %s',
    async (value) => {
      expect(await post(`{"schemas":${value},"userName":"a"}`)).toEqual(refusal(400, 'invalidSyntax'));
    },
  );
});

describe('a userName (RFC 8265 section 3.3)', () => {
  it.each([
    ['is empty', ''],
    ['is a space', ' '],
    ['is spaces', '   '],
    ['is a zero-width space', '\u200b'],
    ['is a zero-width joiner', '\u200d'],
    ['is a control character', '\u0007'],
    ['is a line feed', '\n'],
    ['overrides the direction', 'a\u202eb'],
    ['isolates the direction', '\u2066a\u2069'],
    ['is a soft hyphen', '\u00ad'],
    ['is a no-break space', '\u00a0'],
    ['is not assigned', '\u0378'],
    ['is for private use', '\ue000'],
  ])('is refused when it %s', async (_what, userName) => {
    expect(await post(JSON.stringify({ userName }))).toEqual(refusal(400, 'invalidValue'));
    const replace = JSON.stringify({ schemas: user.schemas, userName });
    expect(await refused('PUT', `/Users/${user.id}`, replace)).toEqual(refusal(400, 'invalidValue'));
  });
});
