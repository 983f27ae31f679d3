const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * Reads an xsd:dateTime with a time zone as an instant (RFC 7643 section 2.3.5).
 * @returns the instant in UTC as `YYYY-MM-DDThh:mm:ss.sssssssssZ`, so that text order is time order; undefined when the
 *   text is not a date and time, or has no time zone
 */
export function instant(text: string): string | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // Date.UTC rolls over what does not exist, such as 31 February or 24:61.
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  if (Number(year) < 100 || new Date(local).toISOString().slice(0, 19) !== written) return undefined;
  const sign = zone.startsWith('-') ? -1 : 1;
  const offset = zone === 'Z' ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  const utc = new Date(local - offset * 60_000).toISOString().slice(0, 19);
  return `${utc}.${fraction.padEnd(9, '0')}Z`;
}
