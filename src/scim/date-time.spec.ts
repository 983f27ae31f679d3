import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from './date-time.js';

describe('a dateTime as an instant (RFC 7643 section 2.3.5)', () => {
  it.each([
    ['2011-05-13T04:42:34Z', '2011-05-13T04:42:34.000000Z'],
    ['2011-05-13T04:42:34.5Z', '2011-05-13T04:42:34.500000Z'],
    ['2011-05-13T04:42:34.123456Z', '2011-05-13T04:42:34.123456Z'],
    ['2011-05-13T04:42:34.1234569Z', '2011-05-13T04:42:34.123456Z'],
    ['2011-05-13T04:42:34.12345678901234567890Z', '2011-05-13T04:42:34.123456Z'],
    ['2011-05-13T04:42:34+00:00', '2011-05-13T04:42:34.000000Z'],
    ['2011-05-13T04:42:34-00:00', '2011-05-13T04:42:34.000000Z'],
    ['2011-05-13T00:42:34+05:45', '2011-05-12T18:57:34.000000Z'],
    ['2011-05-13T23:42:34-05:30', '2011-05-14T05:12:34.000000Z'],
    ['2011-05-13T04:42:34+14:00', '2011-05-12T14:42:34.000000Z'],
    ['2011-05-13T04:42:34-14:00', '2011-05-13T18:42:34.000000Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000000Z'],
    ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00.000000Z'],
    ['2025-12-31T23:59:59.999999-00:01', '2026-01-01T00:00:59.999999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
    ['0099-06-01T00:00:00Z', '0099-06-01T00:00:00.000000Z'],
    ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.999999Z'],
  ])('reads %s as %s', (text, utc) => {
    expect(instant(text)).toBe(utc);
  });

  it.each([
    ['2011-05-13', 'has no time'],
    ['04:42:34Z', 'has no date'],
    ['2011-05-13T04:42:34', 'has no time zone'],
    ['2011-05-13T04:42Z', 'has no seconds'],
    ['2011-05-13 04:42:34Z', 'has no T'],
    ['2011-05-13t04:42:34z', 'has its letters in lower case'],
    ['2011-5-13T04:42:34Z', 'has a month of one digit'],
    ['11-05-13T04:42:34Z', 'has a year of two digits'],
    ['12011-05-13T04:42:34Z', 'has a year of five digits'],
    ['-2011-05-13T04:42:34Z', 'is before the common era'],
    ['2011-05-13T04:42:34.Z', 'has a point without digits'],
    ['2011-05-13T04:42:34,5Z', 'has a comma'],
    ['2011-05-13T04:42:34+0200', 'has an offset without a colon'],
    ['2011-05-13T04:42:34+2:00', 'has an offset of one digit'],
    ['2011-05-13T04:42:34+14:01', 'has an offset beyond 14 hours'],
    ['2011-05-13T04:42:34-15:00', 'has an offset beyond 14 hours'],
    ['2011-05-13T04:42:34+01:60', 'has an offset of 60 minutes'],
    ['2011-02-29T12:00:00Z', 'is on a leap day of no leap year'],
    ['1900-02-29T12:00:00Z', 'is on a leap day of no leap year'],
    ['2011-04-31T12:00:00Z', 'is on 31 April'],
    ['2011-00-13T12:00:00Z', 'is in month 0'],
    ['2011-13-13T12:00:00Z', 'is in month 13'],
    ['2011-05-00T12:00:00Z', 'is on day 0'],
    ['2011-05-13T25:00:00Z', 'is at hour 25'],
    ['2011-05-13T12:60:00Z', 'is at minute 60'],
    ['2011-05-13T12:00:60Z', 'is at second 60'],
    ['0000-01-01T00:00:00Z', 'is in the year 0'],
    ['0001-01-01T00:00:00+00:01', 'is in the year 0 in UTC'],
    ['9999-12-31T23:59:59-00:01', 'is in the year 10000 in UTC'],
    ['', 'is empty'],
    ['yesterday', 'is a word'],
    ['2011-05-13T04:42:34Z\n', 'has a line end behind it'],
    ['२०११-०५-१३T०४:४२:३४Z', 'has digits that are not ASCII'],
  ])('does not read %j, which %s', (text) => {
    expect(instant(text)).toBeUndefined();
  });

  it('makes texts whose order is the order of the times', () => {
    const time = fc.date({ min: new Date(1), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true });
    const zone = fc.constantFrom(0, 60, -60, 345, -570, 840, -840);
    const written = (date: Date, minutes: number): string => {
      const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
      const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
      const two = (value: number): string => String(value).padStart(2, '0');
      return `${local}${minutes < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`;
    };
    fc.assert(
      fc.property(time, zone, time, zone, (a, zoneOfA, b, zoneOfB) => {
        const [first, second] = [instant(written(a, zoneOfA)) ?? '', instant(written(b, zoneOfB)) ?? ''];
        expect(first).toBe(a.toISOString().replace('Z', '000Z'));
        expect(Math.sign(Number(first > second) - Number(first < second))).toBe(Math.sign(a.getTime() - b.getTime()));
      }),
    );
  });
});
