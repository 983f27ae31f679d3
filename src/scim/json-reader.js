// @ts-check
import { JsonFault } from './json-fault.js';
import { quote } from './quote.js';

/**
 * How a JSON text is read.
 * @typedef {object} JsonOptions
 * @property {number} maxDepth most objects and arrays around a value
 * @property {number} maxArray most elements of any one array
 * @property {boolean} anyText lets strings and keys hold U+0000 and lone surrogates
 * @property {{ name: string, elements: number }} [list] an array of the outermost object that may be longer, by its key
 *   in lower case
 */

/**
 * Decodes a JSON text (RFC 8259 section 8.1). A byte order mark is left out.
 * @param {Uint8Array} bytes
 * @throws {JsonFault} invalidSyntax when the bytes are not UTF-8
 */
export function decodeJson(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new JsonFault('invalidSyntax', 'The body is not valid UTF-8; encode the JSON text in UTF-8.');
  }
}

/**
 * Makes sure that a text is JSON that has one reading only, in time in proportion to the text, whatever it holds. What
 * passes, JSON.parse can read.
 * @param {string} text
 * @param {JsonOptions} options
 * @throws {JsonFault} as `parseJson` says
 */
export function checkJson(text, options) {
  new Scanner(text, options).scan();
}

/**
 * An object or array that is still open. Keys, folded to lower case, make it an object.
 * @typedef {object} Container
 * @property {Keys} [keys]
 * @property {number} size
 * @property {number} most elements
 */

const whitespace = /[ \t\n\r]*/y;
const literal = /true|false|null/y;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
/** Without escapes, and without what may not be in a string. */
const plainString = /"[ !#-[\]-\uffff]*"/y;

/** The keys of an object. Most have few, which a list tells apart sooner than a set. */
class Keys {
  constructor() {
    /** @type {string[]} */
    this.few = [];
    /** @type {Set<string> | undefined} */
    this.many = undefined;
  }

  /** @param {string} key @returns {boolean} whether it is new */
  add(key) {
    if (this.many) {
      const { size } = this.many;
      return this.many.add(key).size > size;
    }
    if (this.few.includes(key)) return false;
    this.few.push(key);
    if (this.few.length > 8) this.many = new Set(this.few);
    return true;
  }
}

/** Walks a JSON text once. The open containers are a list, not the call stack, which hostile nesting would exhaust. */
class Scanner {
  /**
   * @param {string} text
   * @param {JsonOptions} options
   */
  constructor(text, { maxDepth, maxArray, anyText, list }) {
    this.text = text;
    this.maxDepth = maxDepth;
    this.maxArray = maxArray;
    this.anyText = anyText;
    this.list = list;
    this.at = 0;
    /** @type {Container[]} */
    this.open = [];
    this.lastKey = '';
  }

  /** Accepts exactly the texts that JSON.parse accepts, less those that `parseJson` refuses for another reason. */
  scan() {
    this.skip();
    if (this.at === this.text.length) {
      throw new JsonFault('invalidSyntax', 'The body is empty; send a JSON object.');
    }
    this.value();
    for (let container = this.open.at(-1); container; container = this.open.at(-1)) this.next(container);
    this.skip();
    if (this.at < this.text.length) throw this.expected('nothing more');
  }

  /**
   * Closes a container, or reads its next element up to where that opens a container of its own.
   * @param {Container} container
   */
  next(container) {
    const { keys, size, most } = container;
    const close = keys ? '}' : ']';
    if (this.take(close)) {
      this.open.pop();
      return;
    }
    if (size > 0 && !this.take(',')) throw this.expected(`"," or "${close}"`);
    container.size += 1;
    if (keys) {
      this.key(keys);
    } else if (container.size > most) {
      throw new JsonFault('payloadTooLarge', `An array of the body has more than ${most} elements.`);
    }
    this.value();
  }

  /** @param {Keys} keys */
  key(keys) {
    this.skip();
    const key = this.string('a key in double quotes');
    if (!this.anyText && !isStorable(key)) {
      throw new JsonFault('invalidSyntax', `The key ${quote(key)} holds U+0000 or a lone surrogate.`);
    }
    const folded = key.toLowerCase();
    if (!keys.add(folded)) {
      throw new JsonFault('invalidSyntax', `An object has the key ${quote(key)} twice; case does not tell keys apart.`);
    }
    this.lastKey = folded;
    if (!this.take(':')) throw this.expected('":"');
  }

  value() {
    if (this.take('{')) this.enter({ keys: new Keys(), size: 0, most: Infinity });
    else if (this.take('[')) this.enter({ size: 0, most: this.mostElements() });
    else if (this.text[this.at] === '"') this.stringValue();
    else if (this.match(literal) === null) this.numberValue();
  }

  /** How many elements the array that begins here may have. */
  mostElements() {
    const { list, open } = this;
    return list && open.length === 1 && open[0]?.keys && this.lastKey === list.name ? list.elements : this.maxArray;
  }

  /** @param {Container} container */
  enter(container) {
    if (this.open.length >= this.maxDepth) {
      throw new JsonFault('invalidSyntax', `The body nests objects and arrays more than ${this.maxDepth} deep.`);
    }
    this.open.push(container);
  }

  stringValue() {
    const start = this.at + 1;
    const value = this.string('a string');
    if (!this.anyText && !isStorable(value)) {
      // The string itself may be a password.
      throw new JsonFault('invalidValue', `The string at character ${start} holds U+0000 or a lone surrogate.`);
    }
  }

  numberValue() {
    const found = this.match(number);
    if (!found) throw this.expected('a value');
    const [digits, fraction, exponent] = found;
    const value = Number(digits);
    if (!Number.isFinite(value)) {
      throw new JsonFault('invalidValue', `The number ${quote(digits)} is too large for a double.`);
    }
    if (fraction === undefined && exponent === undefined && !Number.isSafeInteger(value)) {
      throw new JsonFault('invalidValue', `The integer ${quote(digits)} is beyond ±9007199254740991.`);
    }
  }

  /**
   * Reads a string from quote to quote and decodes its escapes.
   * @param {string} expected
   * @returns {string}
   */
  string(expected) {
    plainString.lastIndex = this.at;
    if (plainString.test(this.text)) {
      const value = this.text.slice(this.at + 1, plainString.lastIndex - 1);
      this.at = plainString.lastIndex;
      return value;
    }
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    const quoted = this.text.slice(this.at, end + 1);
    if (!quoted.startsWith('"')) throw this.expected(expected);
    try {
      const value = /** @type {string} */ (JSON.parse(quoted));
      this.at = end + 1;
      return value;
    } catch {
      throw this.expected('a closed string with valid escapes and without control characters');
    }
  }

  /** @param {string} char */
  take(char) {
    if (this.text[this.at] !== char) {
      this.skip();
      if (this.text[this.at] !== char) return false;
    }
    this.at += 1;
    return true;
  }

  skip() {
    if (this.text.charCodeAt(this.at) <= 0x20) this.match(whitespace);
  }

  /** @param {RegExp} pattern */
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  /** @param {string} what */
  expected(what) {
    const found = this.at < this.text.length ? '' : ', but the body ends';
    return new JsonFault(
      'invalidSyntax',
      `The body is not valid JSON at character ${this.at + 1}: expected ${what}${found}.`,
    );
  }
}

/**
 * PostgreSQL stores neither U+0000 nor a lone surrogate.
 * @param {string} text
 */
export function isStorable(text) {
  return (
    !text.includes('\0') && /** @type {{ isWellFormed(): boolean }} */ (/** @type {unknown} */ (text)).isWellFormed()
  );
}
