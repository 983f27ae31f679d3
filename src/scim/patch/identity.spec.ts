import { describe, expect, it } from '@jest/globals';
import { badgeSchema } from '../../../test/support/custom-schema.js';
import { userSchema } from '../../../test/support/patching.js';
import type { JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import { ElementCache } from './element-cache.js';
import { isAmong } from './identity.js';

const identityOf = (element: JsonValue, of: Attribute): string => new ElementCache().partsOf(element, of).identity;

const emails = userSchema.attribute('emails') as Attribute;
const photos = userSchema.attribute('photos') as Attribute;
const addresses = userSchema.attribute('addresses') as Attribute;
const tags = badgeSchema.attribute('tags') as Attribute;

describe('which elements are the same (RFC 7643 section 2.4)', () => {
  it.each<[what: string, attribute: Attribute, a: JsonValue, b: JsonValue, same: boolean]>([
    ['value and type', emails, { value: 'a', type: 'work' }, { type: 'work', value: 'a', primary: true }, true],
    ['value and type but for case', emails, { value: 'A', type: 'Work' }, { value: 'a', type: 'work' }, true],
    ['a value that differs by case where case matters', photos, { value: 'A' }, { value: 'a' }, false],
    ['value and no type', emails, { value: 'a' }, { value: 'a', display: 'A' }, true],
    ['value but not type', emails, { value: 'a', type: 'work' }, { value: 'a', type: 'home' }, false],
    ['value and only one type', emails, { value: 'a', type: 'work' }, { value: 'a' }, false],
    ['type but not value', emails, { value: 'a', type: 'work' }, { value: 'b', type: 'work' }, false],
    ['everything without a value', addresses, { region: 'X', type: 'work' }, { type: 'Work', region: 'x' }, true],
    ['not everything without a value', addresses, { region: 'X', type: 'work' }, { type: 'work' }, false],
    ['the string', tags, 'a', 'A', true],
    ['not the string', tags, 'a', 'b', false],
  ])('%s', (_what, attribute, a, b, same) => {
    expect(identityOf(a, attribute) === identityOf(b, attribute)).toBe(same);
  });
});

describe('which elements a list names', () => {
  it.each<[what: string, attribute: Attribute, element: JsonValue, listed: JsonValue[], among: boolean]>([
    ['the same value', emails, { value: 'a', type: 'work' }, [{ value: 'b' }, { value: 'a' }], true],
    ['the same value but for case', emails, { value: 'a@X' }, [{ value: 'A@x' }], true],
    ['the same value and type', emails, { value: 'a', type: 'work' }, [{ value: 'a', type: 'Work' }], true],
    ['the same value and another type', emails, { value: 'a', type: 'home' }, [{ value: 'a', type: 'work' }], false],
    ['a type that the element lacks', emails, { value: 'a' }, [{ value: 'a', type: 'work' }], true],
    ['the same value and another display', emails, { value: 'a', display: 'A' }, [{ value: 'a', display: 'B' }], true],
    ['another value', emails, { value: 'a', type: 'work' }, [{ value: 'b', type: 'work' }], false],
    ['only the type', emails, { value: 'a', type: 'work' }, [{ type: 'work' }], false],
    ['only the type, of an element with nothing else', emails, { type: 'work' }, [{ type: 'work' }], true],
    ['a value, of an element without', emails, { type: 'work' }, [{ value: 'a', type: 'work' }], false],
    ['everything without a value', addresses, { region: 'X' }, [{ region: 'x' }], true],
    ['part of what has no value', addresses, { region: 'X', type: 'work' }, [{ region: 'X' }], false],
    ['nothing', emails, { value: 'a' }, [], false],
    ['the string', tags, 'A', ['b', 'a'], true],
    ['another string', tags, 'a', ['b'], false],
  ])('%s', (_what, attribute, element, listed, among) => {
    expect(isAmong(listed, attribute, new ElementCache())(element)).toBe(among);
  });
});
