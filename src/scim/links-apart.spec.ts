import { describe, expect, it } from '@jest/globals';
import { groupSchema } from '../../test/support/patching.js';
import { takeLinks } from './link-portions.js';
import { keepLinksApart, linksApartOf } from './links-apart.js';
import { readLinkPortion, readLinks } from './patch/links.js';
import { profiles } from './profile.js';
import type { JsonValue } from './resource.js';
import type { Attribute } from './schema/schema.js';

const members = groupSchema.attribute('members') as Attribute;

describe('links that are kept apart from a body', () => {
  it('are found by the body', () => {
    const [body, links] = [{}, { name: 'members', portionLength: 1, portions: [] }];
    keepLinksApart(body, links);
    expect(linksApartOf(body)).toBe(links);
    expect([linksApartOf({}), linksApartOf(null), linksApartOf('members')]).toEqual([undefined, undefined, undefined]);
  });

  it.each<[what: string, body: JsonValue]>([
    ['no object', [1]],
    ['null', null],
    ['no list', { displayName: 'g' }],
    ['an empty list', { members: [] }],
    ['something else by that name', { members: 'a' }],
  ])('are none where there is %s', (_what, body) => {
    expect(takeLinks(body, 'members')).toBeUndefined();
  });

  const elements: JsonValue[] = [
    { value: 'a' },
    { value: 'b', type: 'user', display: 5 },
    { value: 'c', type: null, $ref: 'https://example.com/Groups/c/' },
    { value: 'a', type: 'Group' },
  ];

  it('are packed where they say no more than what they link, and read as all others', () => {
    const body = { displayName: 'g', MEMBERS: elements };
    const apart = takeLinks(body, 'members');
    expect(body).toEqual({ displayName: 'g', MEMBERS: [] });
    expect(apart).toEqual({
      name: 'MEMBERS',
      portionLength: 500,
      portions: [{ ids: 'a\nb\nc\na', types: '\nuser\n\nGroup' }],
    });
    const read = readLinkPortion(members, { ids: 'a\nb\nc\na', types: '\nuser\n\nGroup' }, profiles.default, 0);
    const last = new Map(read.map((link) => [link.value, link]));
    expect([...last.values()]).toEqual(readLinks(members, elements, profiles.default, 'members'));
  });

  it.each<[what: string, element: JsonValue]>([
    ['another name', { VALUE: 'a' }],
    ['no name', { display: 'a' }],
    ['an empty value', { value: '' }],
    ['a number', { value: 5 }],
    ['a line break', { value: 'a\nb' }],
    ['another resource', { value: 'a', $ref: '../Users/b' }],
    ['no object', 'a'],
    ['null', null],
  ])('stay as they are where one has %s', (_what, element) => {
    const all = [...elements, element];
    const apart = takeLinks({ members: [...all] }, 'members');
    expect(apart?.portions).toEqual([{ json: JSON.stringify(all) }]);
  });

  it('come in portions, whose elements are named by their place in the whole', () => {
    const apart = takeLinks({ members: Array(1_200).fill({ value: 'a' }) }, 'members');
    expect(apart?.portions.length).toBe(3);
    expect(() => readLinkPortion(members, { json: '[null]' }, profiles.default, 500)).toThrow(
      'members[500] names no resource.',
    );
    expect(readLinkPortion(members, { json: '[{"VALUE":"a"}]' }, profiles.default, 0)).toEqual([{ value: 'a' }]);
  });
});
