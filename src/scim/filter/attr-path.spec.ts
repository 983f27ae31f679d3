import { describe, expect, it } from '@jest/globals';
import { parseAttrPath, printAttrPath, type AttrPath } from './attr-path.js';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

describe('attribute paths (RFC 7644 section 3.10)', () => {
  it.each<[text: string, path: AttrPath, why: string]>([
    ['userName', { name: 'userName' }, 'an attribute'],
    ['USERNAME', { name: 'USERNAME' }, 'an attribute in another case'],
    ['a', { name: 'a' }, 'one letter'],
    ['x-1_B', { name: 'x-1_B' }, 'digits, "-" and "_" behind the first letter'],
    ['name.familyName', { name: 'name', sub: 'familyName' }, 'a sub-attribute'],
    ['$ref', { name: '$ref' }, '$ref, which the ABNF forgets'],
    ['members.$ref', { name: 'members', sub: '$ref' }, '$ref as a sub-attribute'],
    ['members.$REF', { name: 'members', sub: '$REF' }, '$ref in another case'],
    [`${core}:userName`, { uri: core, name: 'userName' }, 'a schema URI, with its dots, ended by the last colon'],
    [`${core}:name.familyName`, { uri: core, name: 'name', sub: 'familyName' }, 'a URI and a sub-attribute'],
    [`${enterprise}:manager.value`, { uri: enterprise, name: 'manager', sub: 'value' }, "an extension's sub-attribute"],
    [enterprise, { uri: enterprise.slice(0, -5), name: 'User' }, 'a whole schema, with its last segment as the name'],
    ['http://example.com/2.0/x:a', { uri: 'http://example.com/2.0/x', name: 'a' }, 'a URI that is no URN'],
    [
      "urn:x:a+b,c;d=e@f!g$h&i'j*k~%20:a",
      { uri: "urn:x:a+b,c;d=e@f!g$h&i'j*k~%20", name: 'a' },
      'any character of a URI',
    ],
  ])('reads %j as %j: %s', (text, path) => {
    expect(parseAttrPath(text)).toEqual(path);
    expect(printAttrPath(path)).toBe(text);
  });

  it.each([
    ['', 'is empty'],
    ['1st', 'starts with a digit'],
    ['-a', 'starts with "-"'],
    ['_a', 'starts with "_"'],
    ['$value', 'starts with "$" and is not $ref'],
    ['$reference', 'only starts like $ref'],
    ['a b', 'has a space in it'],
    [' a', 'has a space before it'],
    ['a ', 'has a space behind it'],
    ['a\n', 'has a line end behind it'],
    ['naïve', 'has a letter outside ASCII'],
    ['\u212aelvin', 'starts with a letter that only folds to ASCII'],
    ['a.', 'has no sub-attribute behind "."'],
    ['.a', 'has no attribute before "."'],
    ['a.b.c', 'goes two levels down'],
    ['a.1', 'has a sub-attribute that starts with a digit'],
    ['name[0]', 'has an index'],
    ["name'--", 'has a quote'],
    ['userName;drop', 'has a semicolon'],
    ["data->>'x'", 'is SQL'],
    ['pg_sleep(5)', 'is a call'],
    [':a', 'has an empty URI'],
    ['urn:a', 'has a URI without anything behind its scheme'],
    [`${core}:`, 'has no attribute behind its URI'],
    ['1urn:x:a', 'has a URI that starts with a digit'],
    ['urn:x y:a', 'has a space in its URI'],
    ['urn:x(y):a', 'has brackets in its URI'],
    ['urn:x[y]:a', 'has square brackets in its URI'],
    ['urn:x"y:a', 'has a quote in its URI'],
    ['urn:é:a', 'has a URI outside ASCII'],
  ])('does not read %j, which %s', (text) => {
    expect(parseAttrPath(text)).toBeUndefined();
  });
});
