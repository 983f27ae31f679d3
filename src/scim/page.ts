import { quote, ScimError } from './errors.js';
import { limits } from './limits.js';

/** A page asked for: the 1-based index of its first resource, and how many resources it may hold. */
export interface Page {
  readonly startIndex: number;
  readonly count: number;
}

const maxInt64 = 2n ** 63n - 1n;

/** Reads a whole number: as text from a query parameter, as a number from a SearchRequest. */
function integer(name: string, given: string | number): bigint {
  const text = String(given);
  if (!/^[+-]?\d{1,30}$/.test(text)) {
    throw new ScimError('invalidValue', `${name} must be a whole number, not ${quote(text)}.`);
  }
  const value = BigInt(text.replace(/^\+/, ''));
  if (value > maxInt64 || value < -maxInt64 - 1n) throw new ScimError('invalidValue', `${name} is out of range.`);
  return value;
}

/**
 * Reads paging parameters (RFC 7644 section 3.4.2.4): startIndex below 1 means 1, a negative count means 0, and a count
 * above maxResults means maxResults.
 * @param maxResults the most that a page may hold
 * @throws ScimError invalidValue when one is not a whole number of 64 bits
 */
export function readPage(
  startIndex: string | number | undefined,
  count: string | number | undefined,
  maxResults: number = limits.maxResults,
): Page {
  const start = startIndex === undefined ? 1n : integer('startIndex', startIndex);
  const size = count === undefined ? BigInt(limits.defaultCount) : integer('count', count);
  const largest = BigInt(maxResults);
  // Past 2^53 a number loses its last digits; nothing is stored there anyway.
  const bounded = start > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(start);
  return { startIndex: Math.max(1, bounded), count: Math.max(0, Number(size > largest ? largest : size)) };
}
