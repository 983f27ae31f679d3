import { describe, expect, it } from '@jest/globals';
import { errorOf } from '../../../test/support/patching.js';
import { parsePatchPath, printPatchPath, type PatchPath } from './patch-path.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const work = { kind: 'compare', path: { name: 'type' }, op: 'eq', value: 'work' } as const;
const primary = { kind: 'compare', path: { name: 'primary' }, op: 'eq', value: true } as const;

describe('PATCH paths (RFC 7644 section 3.5.2, figure 7)', () => {
  it.each<[text: string, path: PatchPath]>([
    ['members', { attrPath: { name: 'members' } }],
    ['name.familyName', { attrPath: { name: 'name', sub: 'familyName' } }],
    [`${enterprise}:manager`, { attrPath: { uri: enterprise, name: 'manager' } }],
    [`${enterprise}:manager.value`, { attrPath: { uri: enterprise, name: 'manager', sub: 'value' } }],
    ['emails[type eq "work"]', { attrPath: { name: 'emails' }, filter: work }],
    ['emails[type eq "work"].value', { attrPath: { name: 'emails' }, filter: work, sub: 'value' }],
    ['members[type eq "work"].$ref', { attrPath: { name: 'members' }, filter: work, sub: '$ref' }],
    [
      'emails[type eq "work" and primary eq true].value',
      { attrPath: { name: 'emails' }, filter: { kind: 'and', terms: [work, primary] }, sub: 'value' },
    ],
    [
      `${enterprise}:emails[not (type eq "work")]`,
      { attrPath: { uri: enterprise, name: 'emails' }, filter: { kind: 'not', term: work } },
    ],
    ['emails[type eq "]"].value', { attrPath: { name: 'emails' }, filter: { ...work, value: ']' }, sub: 'value' }],
  ])('read %s', (text, path) => {
    expect(parsePatchPath(text)).toEqual(path);
    expect(printPatchPath(path)).toBe(text);
  });

  it('may have white space between the brackets', () => {
    expect(parsePatchPath('emails[ type  EQ "work" ].value')).toEqual(parsePatchPath('emails[type eq "work"].value'));
  });

  const shape = (text: string): string =>
    `${JSON.stringify(text)} is not a path such as name.familyName or emails[type eq "work"].value.`;
  const behind = (text: string, rest: string): string =>
    `The path ${JSON.stringify(text)} has ${JSON.stringify(rest)} behind "]"; only a sub-attribute may follow.`;

  it.each([
    ['', shape('')],
    [' emails', shape(' emails')],
    ['emails type', shape('emails type')],
    ['a.b.c', shape('a.b.c')],
    ["data->>'x'", shape("data->>'x'")],
    ['[type eq "work"]', shape('[type eq "work"]')],
    ['emails [type eq "work"]', shape('emails [type eq "work"]')],
    ['emails]', shape('emails]')],
    ['emails[type eq "work"', 'The path "emails[type eq \\"work\\"" lacks a "]".'],
    ['emails[type eq "work")', 'The path "emails[type eq \\"work\\")" lacks a "]".'],
    ['emails[type eq "work"]x', behind('emails[type eq "work"]x', 'x')],
    ['emails[type eq "work"].', behind('emails[type eq "work"].', '.')],
    ['emails[type eq "work"] .value', behind('emails[type eq "work"] .value', ' .value')],
    ['emails[type eq "work"].a.b', behind('emails[type eq "work"].a.b', '.a.b')],
    ['emails[type eq "work"].urn:x:a', behind('emails[type eq "work"].urn:x:a', '.urn:x:a')],
    ['emails[type eq "work"][a pr]', behind('emails[type eq "work"][a pr]', '[a pr]')],
    ['emails[type eq "work"]]', behind('emails[type eq "work"]]', ']')],
  ])('are refused as invalidPath: %j', (text, detail) => {
    expect(errorOf(() => parsePatchPath(text))).toEqual({ row: 'invalidPath', detail });
  });

  it.each([':value', '/value', 'xvalue', ' .value'])('have nothing but a sub-attribute behind brackets: %j', (rest) => {
    expect(errorOf(() => parsePatchPath(`emails[type pr]${rest}`))).toEqual({
      row: 'invalidPath',
      detail: `The path "emails[type pr]${rest}" has "${rest}" behind "]"; only a sub-attribute may follow.`,
    });
  });

  it.each([
    ['emails[]', 'The filter has "]" at character 8; expected an attribute, "not" or "(".'],
    [
      'emails[type',
      'The filter has the end at character 12; expected "pr" or one of eq, ne, co, sw, ew, gt, lt, ge, le.',
    ],
    ['emails[0]', 'The filter has "0" at character 8; expected an attribute, "not" or "(".'],
    ['emails[a[b pr]]', 'The filter has "[" at character 9; a value path cannot hold another one.'],
  ])('are refused as invalidFilter for what is between the brackets: %s', (text, detail) => {
    expect(errorOf(() => parsePatchPath(text))).toEqual({ row: 'invalidFilter', detail });
  });

  it('have 8,192 characters at most', () => {
    expect(parsePatchPath('a'.repeat(8192))).toEqual({ attrPath: { name: 'a'.repeat(8192) } });
    expect(errorOf(() => parsePatchPath('a'.repeat(8193)))).toEqual({
      row: 'invalidPath',
      detail: 'The path is longer than 8192 characters.',
    });
  });
});
