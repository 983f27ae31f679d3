const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))$/;

/**
 * Reads an xsd:dateTime with a time zone as an instant (RFC 7643 section 2.3.5). What is finer than a microsecond is
 * dropped.
 * @returns the instant in UTC as `YYYY-MM-DDThh:mm:ss.ssssssZ`, so that text order is time order; undefined when the
 *   text is not a date and time, has no time zone, or is not in the years 1 to 9999 in UTC
 */
export function instant(text: string): string | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', zone] = pattern.exec(text) ?? [];
  if (zone === undefined) return undefined;
  const time = new Date(0);
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  time.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  time.setUTCHours(Number(hour), Number(minute), Number(second));
  // What does not exist, such as 31 February or 24:61, has rolled over.
  if (time.toISOString().slice(0, 19) !== `${year}-${month}-${day}T${hour}:${minute}:${second}`) return undefined;
  if (zone !== 'Z') {
    const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
    time.setUTCMinutes(time.getUTCMinutes() - (zone.startsWith('-') ? -minutes : minutes));
  }
  const utc = time.toISOString();
  if (!/^\d{4}-/.test(utc) || utc.startsWith('0000')) return undefined;
  return `${utc.slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}
