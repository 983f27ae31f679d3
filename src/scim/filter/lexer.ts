import { quote, ScimError } from '../errors.js';

/** A token of a filter or PATCH path. `at` is its 0-based offset in the text. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  | { readonly kind: '(' | ')' | '[' | ']' | 'end'; readonly text: string; readonly at: number };

// Sticky patterns without nested repetition: every character is looked at once.
const space = /[ \t\r\n]*/y;
// A word may be a URI (RFC 3986 section 2), of which only the brackets are left out: they are tokens here.
const word = /[A-Za-z$][A-Za-z0-9._~%!$&'*+,;=@/:-]*/y;
const subAttr = /\.[A-Za-z$][A-Za-z0-9_-]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
// Which characters and escapes a string may hold is for JSON.parse to say.
const string = /"(?:[^"\\]|\\.)*"/y;

const match = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/** Decodes a quoted JSON string (RFC 8259 section 7). */
function unquote(text: string, at: number): string {
  let value: string;
  try {
    value = JSON.parse(text) as string;
  } catch {
    throw new ScimError('invalidFilter', `The string at character ${at + 1} of the filter is not a valid JSON string.`);
  }
  if (value.includes('\0') || !value.isWellFormed()) {
    throw new ScimError('invalidFilter', `The string at character ${at + 1} holds a character that cannot be stored.`);
  }
  return value;
}

/**
 * Reads the token at an offset, skipping white space before it.
 * @returns the token, and the offset behind it
 * @throws ScimError invalidFilter when no token starts there
 */
export function nextToken(text: string, from: number): { token: Token; end: number } {
  const at = from + (match(space, text, from) as string).length;
  const char = text[at];
  if (char === undefined) return { token: { kind: 'end', text: '', at }, end: at };
  if (char === '(' || char === ')' || char === '[' || char === ']') {
    return { token: { kind: char, text: char, at }, end: at + 1 };
  }
  if (char === '"') {
    const quoted = match(string, text, at);
    if (quoted === undefined) {
      throw new ScimError('invalidFilter', `The string that starts at character ${at + 1} of the filter has no end.`);
    }
    return { token: { kind: 'string', text: unquote(quoted, at), at }, end: at + quoted.length };
  }
  const found = match(word, text, at) ?? (text[at - 1] === ']' ? match(subAttr, text, at) : undefined);
  if (found !== undefined) return { token: { kind: 'word', text: found, at }, end: at + found.length };
  const digits = match(number, text, at);
  if (digits !== undefined) return { token: { kind: 'number', text: digits, at }, end: at + digits.length };
  throw new ScimError(
    'invalidFilter',
    `The filter has ${quote(text.slice(at, at + 20))} at character ${at + 1}; expected an attribute, an operator, a bracket or a double-quoted value.`,
  );
}
