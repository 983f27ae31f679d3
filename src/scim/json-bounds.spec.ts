import { describe, expect, it } from '@jest/globals';
import type { JsonBounds } from './json-bounds.js';
import { checkJsonBounds, parseJson } from './json.js';

const list = { name: 'members', elements: 5, keys: 12, values: 20, otherBytes: 40 };
const bounds = { keys: 6, objectKeys: 3, values: 20 };
const ones = `${'1,'.repeat(24)}1`;

/** What a text is refused for; "nothing" when it is not. */
function refusal(text: string, given: JsonBounds = bounds): string {
  try {
    checkJsonBounds(new TextEncoder().encode(text), given);
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

const objects = (count: number, keys: number): string =>
  `[${Array(count)
    .fill(`{${Array.from({ length: keys }, (_, index) => `"k${index}":1`).join(',')}}`)
    .join(',')}]`;

describe('the bounds of a body', () => {
  it.each([
    ['keys of one object', objects(1, 4), 'An object of the body has more than 3 keys.'],
    ['keys of all', objects(7, 1), 'The body has more than 6 keys; send it in several requests.'],
    ['values', `[${ones}]`, 'The body has more than 20 values; send it in several requests.'],
    ['empty values', `[${'[],'.repeat(12)}[]]`, 'The body has more than 20 values; send it in several requests.'],
  ])('refuse too many %s', (_what, text, detail) => {
    expect(refusal(text)).toBe(detail);
  });

  it.each([
    ['as many as there may be', objects(2, 3)],
    ['commas and colons within strings', JSON.stringify({ a: ',:[{"'.repeat(50), 'b\\"': '\\' })],
    ['a string that does not end', '"\\'],
    ['what closes nothing', ']'.repeat(100)],
    ['what is nested too deep, which the reader refuses', '['.repeat(100)],
  ])('pass %s', (_what, text) => {
    const most = { keys: 6, objectKeys: 3, values: 70 };
    expect(refusal(text, most)).toBe('nothing');
  });
});

describe('the bounds of a list of its own', () => {
  const withList = { ...bounds, list };

  it.each([
    ['its elements', '{"members":[1,2,3,4,5,6,7,8,9,10]}'],
    ['its keys', `{"Members":${objects(4, 3)}}`],
    ['many small elements', '{"members":[[],[],[],[],[]]}'],
  ])('count %s apart', (_what, text) => {
    expect(refusal(text, withList)).toBe('nothing');
  });

  it.each([
    ['its keys', `{"members":${objects(5, 3)}}`, 'The body has more than 12 keys; send it in several requests.'],
    ['its values', `{"members":[${ones}]}`, 'The body has more than 20 values; send it in several requests.'],
    ['what is beside it', `{"members":[1],"a":"${'x'.repeat(40)}"}`, /^The body without its members is larger than 40/],
    ['what is beside one that is cut off', `{"a":"${'x'.repeat(40)}","members":[1`, /^The body without its members/],
    ['another list', `{"others":[${ones}]}`, /^The body has more than 20 values/],
    ['one of an inner object', `{"a":{"members":[${ones}]}}`, /^The body has more than 20 values/],
    ['one whose name has escapes', `{"member\\u0073":[${ones}]}`, /^The body has more than 20 values/],
  ])('refuse too much of %s', (_what, text, detail) => {
    expect(refusal(text, withList)).toEqual(detail instanceof RegExp ? expect.stringMatching(detail) : detail);
  });

  it('refuse an element that holds very much', () => {
    const wide = { ...withList, list: { ...list, values: 1_000, otherBytes: 1_000 } };
    const detail = 'An element of members has more than 64 values.';
    expect(refusal(`{"members":[[${'1,'.repeat(70)}1]]}`, wide)).toBe(detail);
    expect(refusal(`{"members":[[${'1,'.repeat(40)}1],[${'1,'.repeat(40)}1]]}`, wide)).toBe('nothing');
  });

  it('are for bytes', () => {
    expect(() => checkJsonBounds(undefined as never, withList)).toThrow(TypeError);
  });

  it('hold for the elements, when the text is read', () => {
    const options = { list: { name: 'members', elements: 3 }, maxArray: 2 };
    expect(parseJson('{"a":[1,2],"Members":[1,2,3]}', options)).toEqual({ a: [1, 2], Members: [1, 2, 3] });
    for (const [text, most] of [
      ['{"members":[1,2,3,4]}', 3],
      ['{"a":[1,2,3]}', 2],
      ['[{"members":[1,2,3]}]', 2],
      ['["members",[1,2,3]]', 2],
    ] as const) {
      expect(() => parseJson(text, options)).toThrow(`An array of the body has more than ${most} elements.`);
    }
  });

  it('count one that stands behind others', () => {
    expect(refusal('{"members":[1,2,3],"a":[1]}', withList)).toBe('nothing');
  });
});
