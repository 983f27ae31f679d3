import { isJsonObject, type JsonValue } from '../scim/index.js';

/** What stands for a value that is not kept. */
export const hidden = '***';
/** What stands for the rest of a body that is too long. */
const cut = '…';

const longestBody = 8_192;
const longestText = 256;
const longestUrl = 2_048;
// Details quote this much of a value at most.
const quotedLength = 80;

const namePattern = /^\.?[A-Za-z$][\w$.:-]*$/;
const segmentPattern = /^[\w.:-]*$/;
const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const bulkIdPattern = /^bulkId:[\w.-]{1,64}$/;
const tokenPattern = /"(?:[^"\\]|\\.)*"?|[()[\]]|\s+|[^\s()[\]"]+/g;

const comparisons = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);
const keywords = new Set([...comparisons, 'pr', 'and', 'or', 'not', 'true', 'false', 'null']);

/** Members of messages whose values say nothing of a person (RFC 7644), in lower case. */
const kept = new Set(
  ['schemas', 'op', 'method', 'bulkId', 'id', 'active', 'version', 'status', 'scimType', 'failOnErrors']
    .concat(['startIndex', 'count', 'sortBy', 'sortOrder', 'attributes', 'excludedAttributes'])
    .map((name) => name.toLowerCase()),
);

const isId = (text: string): boolean => uuidPattern.test(text) || bulkIdPattern.test(text);

/**
 * Takes what a request says of people out of it: shape, names, operations, paths and ids stay, values become `***`. What was
 * hidden is remembered, so that it is hidden in the error's detail, too: that one comes last.
 */
export class Masking {
  private readonly values = new Set<string>();

  /** The path of a request's target, the names of its query parameters, and its filter without values. */
  url(target: string): string {
    const [path = '', ...query] = target.slice(0, longestUrl).split('?');
    const segments = path.split('/').map((segment) => (segmentPattern.test(segment) ? segment : hidden));
    const masked = segments.join('/');
    if (query.length === 0) return masked;
    const parameters = query
      .join('?')
      .split('&')
      .map((parameter) => this.parameter(parameter));
    return `${masked}?${parameters.join('&')}`;
  }

  private parameter(parameter: string): string {
    const [name = '', ...value] = parameter.split('=');
    if (!namePattern.test(name)) return hidden;
    if (name.toLowerCase() === 'filter') return `${name}=${this.filter(decoded(value.join('=')))}`;
    this.hide(decoded(value.join('=')));
    return name;
  }

  /** A filter without the values that it compares to; ids stay. It need not be a valid one. */
  filter(text: string): string {
    return this.expression(text, false);
  }

  /** A path of a PATCH operation without the values that it compares to. */
  path(text: string): string {
    return text.startsWith('/') ? this.url(text) : this.expression(text, true);
  }

  private expression(text: string, isPath: boolean): string {
    const tokens = text.slice(0, longestUrl).match(tokenPattern) ?? [];
    const words = tokens.filter((token) => token.trim() !== '');
    let at = -1;
    return tokens
      .map((token) => {
        if (token.trim() === '') return token;
        at++;
        return this.token(token, words[at - 1], words[at + 1], isPath);
      })
      .join('');
  }

  private token(token: string, before = '', after = '', isPath: boolean): string {
    if (/^[()[\]]$/.test(token) || keywords.has(token.toLowerCase())) return token;
    if (token.startsWith('"')) return this.quoted(token);
    const isOperand = comparisons.has(before.toLowerCase());
    const isCompared = after === '[' || after.toLowerCase() === 'pr' || comparisons.has(after.toLowerCase());
    const isName = !isOperand && (isPath || isCompared) && namePattern.test(token);
    return isName ? token : this.hide(token);
  }

  private quoted(token: string): string {
    const text = unquoted(token);
    return isId(text) ? token : `"${this.hide(text)}"`;
  }

  /** A body with its shape, at most about 8 KiB of it. */
  body(value: JsonValue): JsonValue {
    return this.part('', value, { left: longestBody });
  }

  private part(name: string, value: JsonValue, room: { left: number }): JsonValue {
    if (Array.isArray(value)) {
      const parts: JsonValue[] = [];
      for (const element of value) {
        if (room.left <= 0) return [...parts, cut];
        room.left--;
        parts.push(this.part(name, element, room));
      }
      return parts;
    }
    if (isJsonObject(value)) return this.members(value, room);
    const shown = this.value(name.toLowerCase(), value);
    room.left -= JSON.stringify(shown).length + 1;
    return shown;
  }

  private members(object: object, room: { left: number }): JsonValue {
    const members: [string, JsonValue][] = [];
    for (const [given, value] of Object.entries(object) as [string, JsonValue][]) {
      if (room.left <= 0) {
        members.push([cut, cut]);
        break;
      }
      // Some clients give values by the path that they go to.
      const name = namePattern.test(given) ? given.slice(0, longestText) : this.path(given.slice(0, longestText));
      room.left -= name.length + 4;
      members.push([name, this.part(given, value, room)]);
    }
    return Object.fromEntries(members);
  }

  private value(name: string, value: string | number | boolean | null): JsonValue {
    if (value === null || typeof value === 'boolean') return value;
    if (kept.has(name)) return typeof value === 'string' ? value.slice(0, longestText) : value;
    if (typeof value === 'number') return this.hide(String(value));
    if (name === 'path') return this.path(value);
    if (name === 'filter') return this.filter(value);
    return isId(value) ? value : this.hide(value);
  }

  /** An error's detail, in which values are quoted: names and ids stay unless they were hidden elsewhere. */
  detail(text: string): string {
    return text.replace(/"(?:[^"\\]|\\.)*"?/g, (token) => {
      const quoted = unquoted(token);
      const isName = namePattern.test(quoted) || quoted.split('/').every((segment) => segmentPattern.test(segment));
      // A detail is cut where it is too long, perhaps in the middle of a value.
      const isWhole = token.length > 1 && token.endsWith('"');
      const isKept = isWhole && (isId(quoted) || (isName && !this.values.has(quoted.slice(0, quotedLength))));
      return isKept ? token : `"${hidden}"`;
    });
  }

  private hide(value: string): string {
    this.values.add(value.slice(0, quotedLength));
    return hidden;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return hidden;
  }
}

/** The text of a JSON string, as far as it is one. */
function unquoted(token: string): string {
  try {
    return String(JSON.parse(token)).replace(/…$/, '');
  } catch {
    return token.slice(1);
  }
}
