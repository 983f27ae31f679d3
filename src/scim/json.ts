import { quote, ScimError } from './errors.js';
import { limits } from './limits.js';
import { isJsonObject, type JsonValue } from './resource.js';

/**
 * Decodes a body (RFC 7644 section 3.8, RFC 8259 section 8.1). A byte order mark is left out.
 * @throws ScimError invalidSyntax when the bytes are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ScimError('invalidSyntax', 'The body is not valid UTF-8; encode the JSON text in UTF-8.');
  }
}

/**
 * Parses a JSON text (RFC 8259) that has one reading only. Takes time in proportion to the text, whatever it holds.
 * @param options.maxDepth most objects and arrays around a value; limits.jsonDepth by default
 * @param options.maxArray most elements of any one array; limits.arrayElements by default
 * @param options.anyText lets strings hold U+0000 and lone surrogates, for `checkText` to judge part by part
 * @returns the value; a key such as `__proto__` is an ordinary property of its object
 * @throws ScimError invalidSyntax when the text is not JSON, is nested too deep, has a key that is not Unicode text, or
 *   has an object with two keys that are equal but for case (attribute names ignore case: RFC 7643 section 2.1)
 * @throws ScimError invalidValue when a string holds U+0000 or a lone surrogate, or when a number cannot be kept: not
 *   finite, or an integer beyond ±(2^53-1) (RFC 8259 section 6)
 * @throws ScimError payloadTooLarge when an array has too many elements
 */
export function parseJson(
  text: string,
  options: { maxDepth?: number; maxArray?: number; anyText?: boolean } = {},
): JsonValue {
  const { maxDepth = limits.jsonDepth, maxArray = limits.arrayElements, anyText = false } = options;
  new Scanner(text, maxDepth, maxArray, anyText).scan();
  return JSON.parse(text) as JsonValue;
}

/** An object or array that is still open. Keys, folded to lower case, make it an object. */
type Container = { readonly keys?: Set<string>; size: number };

const whitespace = /[ \t\n\r]*/y;
const literal = /true|false|null/y;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

/** Walks a JSON text once. The open containers are a list, not the call stack, which hostile nesting would exhaust. */
class Scanner {
  private at = 0;
  private readonly open: Container[] = [];

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
    private readonly maxArray: number,
    private readonly anyText: boolean,
  ) {}

  /** Accepts exactly the texts that JSON.parse accepts, less those that `parseJson` refuses for another reason. */
  scan(): void {
    this.match(whitespace);
    if (this.at === this.text.length) {
      throw new ScimError('invalidSyntax', 'The body is empty; send a JSON object.');
    }
    this.value();
    for (let container = this.open.at(-1); container; container = this.open.at(-1)) this.next(container);
    this.match(whitespace);
    if (this.at < this.text.length) throw this.expected('nothing more');
  }

  /** Closes a container, or reads its next element up to where that opens a container of its own. */
  private next(container: Container): void {
    const { keys, size } = container;
    const close = keys ? '}' : ']';
    if (this.take(close)) {
      this.open.pop();
      return;
    }
    if (size > 0 && !this.take(',')) throw this.expected(`"," or "${close}"`);
    container.size += 1;
    if (keys) {
      this.key(keys);
    } else if (container.size > this.maxArray) {
      throw new ScimError('payloadTooLarge', `An array of the body has more than ${this.maxArray} elements.`);
    }
    this.value();
  }

  private key(keys: Set<string>): void {
    this.match(whitespace);
    const key = this.string('a key in double quotes');
    if (!this.anyText) checkKey(key);
    const folded = key.toLowerCase();
    if (keys.has(folded)) {
      throw new ScimError('invalidSyntax', `An object has the key ${quote(key)} twice; case does not tell keys apart.`);
    }
    keys.add(folded);
    if (!this.take(':')) throw this.expected('":"');
  }

  private value(): void {
    if (this.take('{')) this.enter({ keys: new Set(), size: 0 });
    else if (this.take('[')) this.enter({ size: 0 });
    else if (this.text[this.at] === '"') this.stringValue();
    else if (this.match(literal) === null) this.numberValue();
  }

  private enter(container: Container): void {
    if (this.open.length >= this.maxDepth) {
      throw new ScimError('invalidSyntax', `The body nests objects and arrays more than ${this.maxDepth} deep.`);
    }
    this.open.push(container);
  }

  private stringValue(): void {
    const start = this.at + 1;
    const value = this.string('a string');
    if (!this.anyText && !isStorable(value)) {
      // The string itself may be a password.
      throw new ScimError('invalidValue', `The string at character ${start} holds U+0000 or a lone surrogate.`);
    }
  }

  private numberValue(): void {
    const found = this.match(number);
    if (!found) throw this.expected('a value');
    const [digits, fraction, exponent] = found;
    const value = Number(digits);
    if (!Number.isFinite(value)) {
      throw new ScimError('invalidValue', `The number ${quote(digits)} is too large for a double.`);
    }
    if (fraction === undefined && exponent === undefined && !Number.isSafeInteger(value)) {
      throw new ScimError('invalidValue', `The integer ${quote(digits)} is beyond ±9007199254740991.`);
    }
  }

  /** Reads a string from quote to quote and decodes its escapes. */
  private string(expected: string): string {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    const quoted = this.text.slice(this.at, end + 1);
    if (!quoted.startsWith('"')) throw this.expected(expected);
    try {
      const value = JSON.parse(quoted) as string;
      this.at = end + 1;
      return value;
    } catch {
      throw this.expected('a closed string with valid escapes and without control characters');
    }
  }

  private take(char: string): boolean {
    this.match(whitespace);
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  private expected(what: string): ScimError {
    const found = this.at < this.text.length ? '' : ', but the body ends';
    return new ScimError(
      'invalidSyntax',
      `The body is not valid JSON at character ${this.at + 1}: expected ${what}${found}.`,
    );
  }
}

/** PostgreSQL stores neither U+0000 nor a lone surrogate. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function checkKey(key: string): void {
  if (isStorable(key)) return;
  throw new ScimError('invalidSyntax', `The key ${quote(key)} holds U+0000 or a lone surrogate.`);
}

/**
 * Checks the text in a value that was parsed with `anyText`.
 * @throws ScimError invalidValue when a string holds U+0000 or a lone surrogate, invalidSyntax when a key does
 */
export function checkText(value: JsonValue | undefined): void {
  if (typeof value === 'string' && !isStorable(value)) {
    throw new ScimError('invalidValue', 'A string holds U+0000 or a lone surrogate.');
  }
  if (Array.isArray(value)) value.forEach(checkText);
  if (!isJsonObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    checkKey(key);
    checkText(item);
  }
}
