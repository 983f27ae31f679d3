import { describe, expect, it } from '@jest/globals';
import { userSchema } from '../../../test/support/patching.js';
import { parseFilter } from '../filter/parser.js';
import { profiles } from '../profile.js';
import type { JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import { clears, elementFromFilter, listedElements } from './compat.js';

const ofUser = (name: string): Attribute => userSchema.attribute(name) as Attribute;

describe('elementFromFilter', () => {
  it.each([
    ['type eq "work"', { type: 'work' }],
    ['TYPE eq "Work"', { TYPE: 'Work' }],
    ['primary eq true', { primary: true }],
    ['primary eq "True"', { primary: 'True' }],
    ['type eq "work" and primary eq false', { type: 'work', primary: false }],
    ['(type eq "work") and (value eq "a@x")', { type: 'work', value: 'a@x' }],
  ])('%s describes an element', (filter, element) => {
    expect(elementFromFilter(parseFilter(filter))).toStrictEqual(element);
  });

  it.each([
    'type ne "work"',
    'type pr',
    'value sw "a"',
    'value co "@"',
    'type eq null',
    'type eq "work" or type eq "home"',
    'not (type eq "work")',
    'type eq "work" and value pr',
    'type eq "work" and (value eq "a" or value eq "b")',
    'type eq "work" and (primary eq true and value eq "b")',
  ])('%s describes none', (filter) => {
    expect(elementFromFilter(parseFilter(filter))).toBeUndefined();
  });
});

describe('clears', () => {
  it.each<[value: JsonValue | undefined, attribute: string, byDefault: boolean, strictly: boolean]>([
    [null, 'nickName', true, true],
    [[], 'emails', true, true],
    [null, 'userName', true, true],
    ['', 'nickName', true, false],
    ['', 'emails', true, false],
    ['', 'userName', false, false],
    ['', 'active', false, false],
    [' ', 'nickName', false, false],
    [false, 'active', false, false],
    [{}, 'name', false, false],
    [[null], 'emails', false, false],
    [undefined, 'nickName', false, false],
  ])('%j clears %s: %j by default, %j in the strict profile', (value, name, byDefault, strictly) => {
    expect(clears(value, ofUser(name), profiles.default)).toBe(byDefault);
    expect(clears(value, ofUser(name), profiles.strict)).toBe(strictly);
  });
});

describe('listedElements', () => {
  it.each<[given: JsonValue, elements: JsonValue]>([
    [[{ $ref: null, value: 'a' }], [{ $ref: null, value: 'a' }]],
    [{ value: 'a' }, [{ value: 'a' }]],
    ['a', [{ value: 'a' }]],
    [
      ['a', { value: 'b' }],
      [{ value: 'a' }, { value: 'b' }],
    ],
    [[], []],
  ])('%j lists %j', (given, elements) => {
    expect(listedElements(given)).toStrictEqual(elements);
  });
});
