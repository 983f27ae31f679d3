import { describe, expect, it } from '@jest/globals';
import { errorOf, group, groupSchema, patch, refusal } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import type { LinkChange } from './links.js';
import { readLinks } from './links.js';

const a = '2819c223-7f76-453a-919d-413861904646';
const b = '902c246b-6245-4190-8e05-00816be7344a';

/** The changes of members that operations on a group make; the group's document stays as it was. */
function changes(...operations: JsonObject[]): readonly LinkChange[] {
  const { resource, links } = patch(group(), operations, profiles.strict);
  expect(resource).toStrictEqual(group());
  return links;
}

const refused = (operation: JsonObject): [row: string, detail: string] => {
  const { row, detail } = refusal(group(), [operation]);
  return [row, detail];
};

describe('add to members (RFC 7644 section 3.5.2.1)', () => {
  it.each<[what: string, value: JsonValue, links: readonly JsonObject[]]>([
    ['an array', [{ value: a }, { value: b }], [{ value: a }, { value: b }]],
    ['one object', { value: a }, [{ value: a }]],
    ['members with their display, which the server derives', [{ value: a, display: 'Babs' }], [{ value: a }]],
    ['members with a null $ref, as Microsoft Entra ID writes them', [{ $ref: null, value: a }], [{ value: a }]],
    ['members by their $ref', [{ $ref: `https://example.com/v2/Users/${a}` }], [{ value: a }]],
    ['members of a type, in its own spelling', [{ value: a, type: 'group' }], [{ value: a, type: 'Group' }]],
    [
      'the same member twice',
      [{ value: a }, { value: b }, { value: a, type: 'User' }],
      [{ value: a, type: 'User' }, { value: b }],
    ],
  ])('takes %s', (_what, value, links) => {
    expect(changes({ op: 'add', path: 'members', value })).toStrictEqual([{ kind: 'add', links }]);
  });

  it('takes them without a path too', () => {
    expect(changes({ op: 'add', value: { members: [{ value: a }] } })).toStrictEqual([
      { kind: 'add', links: [{ value: a }] },
    ]);
  });

  it.each<[value: JsonValue]>([[null], [[]]])('changes nothing for %j', (value) => {
    expect(changes({ op: 'add', path: 'members', value })).toStrictEqual([]);
  });
});

describe('replace of members (RFC 7644 section 3.5.2.3)', () => {
  it('makes the value the whole set, and one member one', () => {
    expect(changes({ op: 'replace', path: 'members', value: [{ value: a }, { value: a }] })).toStrictEqual([
      { kind: 'replaceAll', links: [{ value: a }] },
    ]);
  });

  it.each<[value: JsonValue]>([[null], [[]]])('by %j removes all', (value) => {
    expect(changes({ op: 'replace', path: 'members', value })).toStrictEqual([{ kind: 'removeAll' }]);
    expect(changes({ op: 'replace', value: { members: value } })).toStrictEqual([{ kind: 'removeAll' }]);
  });

  it.each([`members[value eq "${a}"]`, 'members[type eq "User"]'])('at %s is refused: values are immutable', (path) => {
    for (const op of ['replace', 'add']) {
      expect(refused({ op, path, value: { value: b } })).toStrictEqual([
        'mutability',
        `${JSON.stringify(path)}: a value of members cannot be edited; remove it and add another.`,
      ]);
    }
  });
});

describe('remove of members (RFC 7644 section 3.5.2.2)', () => {
  it('removes all without a value', () => {
    expect(changes({ op: 'remove', path: 'members' })).toStrictEqual([{ kind: 'removeAll' }]);
  });

  it.each<[what: string, value: JsonValue, values: string[]]>([
    ['Microsoft Entra ID’s list', [{ $ref: null, value: a }], [a]],
    ['a list of several', [{ value: a }, { value: b, display: 'Jim', type: 'User' }], [a, b]],
    ['one object', { value: a }, [a]],
    ['a bare id', a, [a]],
    ['bare ids', [a, b], [a, b]],
    ['a $ref', [{ $ref: `../Users/${a}` }], [a]],
  ])('removes only those that %s names, never all', (_what, value, values) => {
    expect(changes({ op: 'remove', path: 'members', value })).toStrictEqual([{ kind: 'remove', values }]);
  });

  it.each<[value: JsonValue]>([[[]], [null]])(
    'removes nobody for the value %j: that is an empty list, not an absent one',
    (value) => {
      expect(changes({ op: 'remove', path: 'members', value })).toStrictEqual([]);
    },
  );

  it.each([
    [`members[value eq "${a}"]`, [a]],
    [`members[VALUE eq "${a}"]`, [a]],
    [`members[value eq "${a}" or value eq "${b}"]`, [a, b]],
  ])('removes those that %s names', (path, values) => {
    expect(changes({ op: 'remove', path })).toStrictEqual([{ kind: 'remove', values }]);
  });

  it('goes by the path when there is a value too', () => {
    expect(changes({ op: 'remove', path: `members[value eq "${a}"]`, value: [{ value: b }] })).toStrictEqual([
      { kind: 'remove', values: [a] },
    ]);
  });

  it.each([
    'members[type eq "Group"]',
    'members[display eq "Babs"]',
    `members[value ne "${a}"]`,
    'members[value pr]',
    'members[value eq null]',
    'members[not (value eq "x")]',
    `members[value eq "${a}" and type eq "User"]`,
    `members[value eq "${a}" or type eq "Group"]`,
  ])('removes what %s matches, which only the directory knows', (path) => {
    expect(changes({ op: 'remove', path })).toMatchObject([{ kind: 'removeWhere', filter: {} }]);
  });
});

describe('changes of members', () => {
  it('come out in the order of the operations (RFC 7644 section 3.5.2)', () => {
    expect(
      changes(
        { op: 'remove', path: `members[value eq "${a}"]` },
        { op: 'add', path: 'members', value: [{ value: b }] },
        { op: 'remove', path: 'members' },
        { op: 'add', path: 'members', value: [{ value: a }] },
      ),
    ).toStrictEqual([
      { kind: 'remove', values: [a] },
      { kind: 'add', links: [{ value: b }] },
      { kind: 'removeAll' },
      { kind: 'add', links: [{ value: a }] },
    ]);
  });

  it('that name members are put together where they are very many, to the same end', () => {
    const add = (...ids: string[]) => ({ op: 'add', path: 'members', value: ids.map((value) => ({ value })) });
    const remove = (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` });
    const each = Array.from({ length: 12 }, (_, index) => add(`m${index}`));
    const all = Array.from({ length: 12 }, (_, index) => ({ value: `m${index}` }));
    expect(changes(...each)).toStrictEqual([{ kind: 'add', links: all }]);
    expect(changes(...each, remove('m1'), remove(a), add(a), remove(b))).toStrictEqual([
      { kind: 'add', links: [...all, { value: a }] },
      { kind: 'remove', values: ['m1', b] },
    ]);
    const removals = Array.from({ length: 12 }, (_, index) => remove(`m${index}`));
    expect(changes(...removals, { op: 'remove', path: 'members' }, add(a))).toStrictEqual([
      { kind: 'remove', values: all.map(({ value }) => value) },
      { kind: 'removeAll' },
      { kind: 'add', links: [{ value: a }] },
    ]);
  });

  it('are bounded where they cannot be put together', () => {
    const replace = { op: 'replace', path: 'members', value: [{ value: a }] };
    expect(changes(...Array.from({ length: 50 }, () => replace))).toHaveLength(50);
    expect(errorOf(() => changes(...Array.from({ length: 51 }, () => replace)))).toMatchObject({
      row: 'payloadTooLarge',
      detail: 'The operations come to more than 50 changes of members in turn; send them in several requests.',
    });
  });

  const noResource = 'members[0] names no resource.';
  const noId = 'Each of members must have the id of a resource as its "value".';

  it.each<[what: string, value: JsonValue, detail: string]>([
    ['a null id', [{ value: null }], noResource],
    ['an empty object', [{}], noResource],
    ['only a display', [{ display: 'Babs' }], noResource],
    ['only a type', [{ type: 'User' }], noId],
    ['an empty id', [{ value: '' }], noId],
    ['a number for an id', [{ value: 12345 }], 'members[0].value must be a string, not "12345".'],
    ['an unknown type', [{ value: a, type: 'Device' }], 'members: "type" must be User or Group, not "Device".'],
    [
      'a $ref to another',
      [{ value: a, $ref: `../Users/${b}` }],
      `members[0]: "value" and "$ref" name different resources ("../Users/${b}").`,
    ],
  ])('that name %s are refused, whatever the operation: nobody is added, and nobody lost', (_what, value, detail) => {
    for (const op of ['add', 'replace', 'remove']) {
      expect(refused({ op, path: 'members', value })).toStrictEqual(['invalidValue', detail]);
    }
  });

  it.each<[value: JsonValue]>([[[null]], [[[a]]], [5], [true], ['']])('with the value %j are refused', (value) => {
    for (const op of ['add', 'replace', 'remove']) {
      expect(refused({ op, path: 'members', value })[0]).toBe('invalidValue');
    }
  });

  it.each<[value: JsonValue]>([
    [`[{"value":"${a}"}]`],
    [` [{"value":"${a}"}]`],
    [`{"value":"${a}"}`],
    [[`{"value":"${a}"}`]],
  ])('with JSON in a string, %j, are refused: as an id it would name nobody, and the member would stay', (value) => {
    for (const op of ['add', 'replace', 'remove']) {
      expect(refused({ op, path: 'members', value })[0]).toBe('invalidValue');
    }
  });

  it('with bare ids are refused where the ids are to be added', () => {
    expect(refused({ op: 'add', path: 'members', value: [a] })).toStrictEqual([
      'invalidValue',
      `members[0] must be an object, not "${a}".`,
    ]);
  });

  it.each(['add', 'replace', 'remove'])('name 10,000 members and no more in one %s', (op) => {
    const value = Array.from({ length: 10_000 }, (_, index) => ({ value: String(index) }));
    expect(changes({ op, path: 'members', value })).toHaveLength(1);
    expect(refused({ op, path: 'members', value: [...value, { value: 'one more' }] })).toStrictEqual([
      'payloadTooLarge',
      'One operation may name 10000 members; this one names 10001.',
    ]);
  });
});

describe('readLinks', () => {
  it('reads the members of a body, which may be more', () => {
    const members = groupSchema.attribute('members') as Attribute;
    const value = Array.from({ length: 10_001 }, (_, index) => ({ value: String(index) }));
    expect(readLinks(members, value, profiles.strict, 'members')).toStrictEqual(value);
  });
});

describe('ids in members (RFC 7644 section 3.5.2)', () => {
  const strictly = (operation: JsonObject): [string, string] => {
    const { row, detail } = refusal(group(), [operation], profiles.strict);
    return [row, detail];
  };

  it('replace takes a list, and one object only where the profile does', () => {
    expect(strictly({ op: 'replace', path: 'members', value: { value: a } })[0]).toBe('invalidValue');
  });

  it.each([
    ['{"value":"x"}', 'members: "{\\"value\\":\\"x\\"}" is not an id.'],
    [' [1]', 'members: " [1]" is not an id.'],
  ])('JSON in a text is none: %s', (value, detail) => {
    expect(refused({ op: 'remove', path: 'members', value: [{ value }] })).toStrictEqual(['invalidValue', detail]);
  });

  it('an object is none', () => {
    expect(refused({ op: 'remove', path: 'members', value: [{ value: { value: a } }] })).toStrictEqual([
      'invalidValue',
      `members[0].value must be a string, not "{\\"value\\":\\"${a}\\"}".`,
    ]);
  });

  it('brackets inside of a text make no JSON of it', () => {
    expect(changes({ op: 'remove', path: 'members', value: [{ value: 'a[1]' }] })).toStrictEqual([
      { kind: 'remove', values: ['a[1]'] },
    ]);
  });
});
