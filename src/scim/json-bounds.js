// @ts-check
import { JsonFault } from './json-fault.js';

/**
 * How much one JSON text may hold.
 * @typedef {object} JsonBounds
 * @property {number} keys of all objects together
 * @property {number} objectKeys of one object
 * @property {number} values of all objects and arrays together
 * @property {JsonList} [list] an array that has bounds of its own
 */

/**
 * An array of the outermost object that may be much longer than others, such as a group's members.
 * @typedef {object} JsonList
 * @property {string} name its key, in lower case
 * @property {number} elements how many it may have
 * @property {number} keys of all objects in it together
 * @property {number} values in it, at any depth
 * @property {number} otherBytes how long the text may be besides
 */

/** What was counted. @typedef {{ keys: number, values: number, begins: number, bytes: number }} Counts */

const [quotation, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
// Deeper than any text may be: there, the reader of the text has refused it already.
const mostDepth = 64;
/** Keys and values of one element of a list: it has a few sub-attributes. */
const elementValues = 64;

/**
 * Counts what a JSON text holds, in one pass over its bytes that keeps nothing: it costs a few milliseconds a megabyte
 * whatever they are, and comes before anything that could cost more. It does not judge the text: where that cannot be
 * JSON, or is nested too deep, the count ends, and the reader of the text says why.
 * @param {Uint8Array} bytes in UTF-8
 * @param {JsonBounds} bounds
 * @throws {JsonFault} payloadTooLarge
 */
export function checkJsonBounds(bytes, bounds) {
  new Count(bytes, bounds).run();
}

class Count {
  /**
   * @param {Uint8Array} bytes
   * @param {JsonBounds} bounds
   */
  constructor(bytes, bounds) {
    this.bytes = bytes;
    this.bounds = bounds;
    this.depth = 0;
    /** Keys of each open object. */
    this.open = new Int32Array(mostDepth + 1);
    /** @type {Counts} */
    this.outside = { keys: 0, values: 0, begins: -1, bytes: 0 };
    /** @type {Counts} */
    this.inside = { keys: 0, values: 0, begins: -1, bytes: 0 };
    /** Values in the list's last element. */
    this.ofElement = 0;
    /** Where the last string begins and ends, with its quotes. */
    this.string = [0, 0];
  }

  run() {
    const { bytes } = this;
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === quotation) {
        const end = this.endOfString(at);
        this.string = [at, end];
        at = end;
        continue;
      }
      if (byte === comma) this.value();
      else if (byte === colon) this.key();
      else if (byte === openArray || byte === openObject) {
        if (this.depth === mostDepth) break;
        this.enter(byte, at);
      } else if (byte === closeArray || byte === closeObject) {
        if (this.depth === 0) break;
        this.leave(at);
      }
      at += 1;
    }
    this.checkBytes();
  }

  /** @param {number} start of a string @returns {number} the place behind it */
  endOfString(start) {
    const { bytes } = this;
    let at = start + 1;
    while (at < bytes.length && bytes[at] !== quotation) at += bytes[at] === backslash ? 2 : 1;
    return at + 1;
  }

  get isInList() {
    return this.inside.begins >= 0;
  }

  value() {
    const counts = this.isInList ? this.inside : this.outside;
    const most = this.isInList ? this.list.values : this.bounds.values;
    if (++counts.values > most) throw tooMany(most, 'values');
    if (this.isInList && this.depth > 2 && ++this.ofElement > elementValues) {
      throw new JsonFault('payloadTooLarge', `An element of ${this.list.name} has more than ${elementValues} values.`);
    }
  }

  key() {
    const counts = this.isInList ? this.inside : this.outside;
    const most = this.isInList ? this.list.keys : this.bounds.keys;
    if (++counts.keys > most) throw tooMany(most, 'keys');
    const ofObject = this.bounds.objectKeys;
    const keys = (this.open[this.depth] ?? 0) + 1;
    this.open[this.depth] = keys;
    if (keys > ofObject) {
      throw new JsonFault('payloadTooLarge', `An object of the body has more than ${ofObject} keys.`);
    }
  }

  /**
   * @param {number} byte
   * @param {number} at
   */
  enter(byte, at) {
    this.value();
    this.depth += 1;
    this.open[this.depth] = 0;
    if (this.depth === 3) this.ofElement = 0;
    if (this.depth === 2 && byte === openArray && this.bounds.list && this.isNamed(this.bounds.list.name)) {
      this.inside.begins = at;
    }
  }

  /** @param {number} at */
  leave(at) {
    this.depth -= 1;
    if (this.depth !== 1 || !this.isInList) return;
    this.inside.bytes += at - this.inside.begins;
    this.inside.begins = -1;
  }

  /** Whether the last string is a name; one that is written with escapes counts as another. @param {string} name */
  isNamed(name) {
    const [start = 0, end = 0] = this.string;
    if (end - start - 2 !== name.length) return false;
    return (
      Buffer.from(this.bytes.subarray(start + 1, end - 1))
        .toString('latin1')
        .toLowerCase() === name
    );
  }

  checkBytes() {
    if (!this.bounds.list) return;
    const { name, otherBytes } = this.list;
    const cutOff = this.isInList ? this.bytes.length - this.inside.begins : 0;
    if (this.bytes.length - this.inside.bytes - cutOff <= otherBytes) return;
    throw new JsonFault('payloadTooLarge', `The body without its ${name} is larger than ${otherBytes} bytes.`);
  }

  get list() {
    return /** @type {JsonList} */ (this.bounds.list);
  }
}

/**
 * @param {number} most
 * @param {string} what
 */
const tooMany = (most, what) =>
  new JsonFault('payloadTooLarge', `The body has more than ${most} ${what}; send it in several requests.`);
