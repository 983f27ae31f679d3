import { quote, ScimError } from '../errors.js';
import { limits } from '../limits.js';
import { compareOps, type CompareOp, type CompValue, type Filter } from './ast.js';
import { parseAttrPath, type AttrPath } from './attr-path.js';
import { nextToken, type Token } from './lexer.js';

const isCompareOp = (text: string): text is CompareOp => (compareOps as readonly string[]).includes(text);

/**
 * Reads filters by recursive descent, one method a production. Depth, terms and length are bounded, so time is linear
 * in the text and the stack is shallow.
 */
class FilterParser {
  private token: Token;
  private end: number;
  private depth = 0;
  private terms = 0;

  constructor(
    private readonly text: string,
    start: number,
  ) {
    ({ token: this.token, end: this.end } = nextToken(text, start));
  }

  /** The offset behind the last token taken. */
  get offset(): number {
    return this.token.at;
  }

  /** Fails unless the text ends here. */
  expectEnd(): void {
    if (this.token.kind !== 'end') this.fail('expected "and", "or" or the end of the filter');
  }

  /** FILTER = attrExp / logExp / valuePath / *1"not" "(" FILTER ")", where `or` binds weakest */
  filter(inValuePath: boolean): Filter {
    const terms = [this.conjunction(inValuePath)];
    while (this.takeKeyword('or')) terms.push(this.conjunction(inValuePath));
    return terms.length === 1 ? (terms[0] as Filter) : { kind: 'or', terms };
  }

  /** logExp = FILTER SP ("and" / "or") SP FILTER, here the terms of one `and` */
  private conjunction(inValuePath: boolean): Filter {
    const terms = [this.term(inValuePath)];
    while (this.takeKeyword('and')) terms.push(this.term(inValuePath));
    return terms.length === 1 ? (terms[0] as Filter) : { kind: 'and', terms };
  }

  /** *1"not" "(" FILTER ")" / attrExp / valuePath */
  private term(inValuePath: boolean): Filter {
    if (this.token.kind === '(') return this.group(inValuePath);
    if (this.token.kind !== 'word') return this.fail('expected an attribute, "not" or "("');
    if (this.token.text.toLowerCase() === 'not') {
      this.take();
      if (!this.at('(')) return this.fail('"not" must be followed by "("');
      return { kind: 'not', term: this.group(inValuePath) };
    }
    const path = parseAttrPath(this.token.text);
    if (!path) return this.fail(`${quote(this.token.text)} is not an attribute path`);
    this.take();
    if (++this.terms > limits.filterTerms) {
      throw new ScimError('invalidFilter', `The filter has more than ${limits.filterTerms} expressions.`);
    }
    if (!this.at('[')) return this.attrExp(path);
    return inValuePath ? this.fail('a value path cannot hold another one') : this.valuePath(path);
  }

  private group(inValuePath: boolean): Filter {
    return this.nested('(', ')', () => this.filter(inValuePath));
  }

  /**
   * valuePath = attrPath "[" valFilter "]"
   *
   * Behind it a sub-attribute and a comparison may follow, as Microsoft Entra ID writes them:
   * `emails[type eq "work"].value eq "x"` asks the same element for both.
   */
  private valuePath(path: AttrPath): Filter {
    const filter = this.nested('[', ']', () => this.filter(true));
    if (this.token.kind !== 'word' || !this.token.text.startsWith('.')) return { kind: 'valuePath', path, filter };
    const name = this.token.text.slice(1);
    this.take();
    return { kind: 'valuePath', path, filter: conjoin(filter, this.attrExp({ name })) };
  }

  /** attrExp = (attrPath SP "pr") / (attrPath SP compareOp SP compValue) */
  private attrExp(path: AttrPath): Filter {
    const operator = this.token.kind === 'word' ? this.token.text.toLowerCase() : '';
    if (operator === 'pr') {
      this.take();
      return { kind: 'present', path };
    }
    if (!isCompareOp(operator)) return this.fail(`expected "pr" or one of ${compareOps.join(', ')}`);
    this.take();
    return { kind: 'compare', path, op: operator, value: this.compValue() };
  }

  /** compValue = false / null / true / number / string */
  private compValue(): CompValue {
    const { kind, text } = this.token;
    if (kind === 'string') {
      this.take();
      return text;
    }
    if (kind === 'number') {
      const value = Number(text);
      if (!Number.isFinite(value)) this.fail('the number is out of range');
      this.take();
      return value;
    }
    if (kind !== 'word' || !['true', 'false', 'null'].includes(text)) {
      return this.fail('expected a value: a double-quoted string, a number, true, false or null');
    }
    this.take();
    return text === 'null' ? null : text === 'true';
  }

  private nested(open: '(' | '[', close: ')' | ']', read: () => Filter): Filter {
    if (++this.depth > limits.filterDepth) {
      throw new ScimError('invalidFilter', `The filter is nested deeper than ${limits.filterDepth} levels.`);
    }
    this.take();
    const filter = read();
    if (!this.at(close)) this.fail(`expected "${close}" for the "${open}" before`);
    this.take();
    this.depth--;
    return filter;
  }

  private at(kind: Token['kind']): boolean {
    return this.token.kind === kind;
  }

  private takeKeyword(keyword: 'and' | 'or'): boolean {
    if (this.token.kind !== 'word' || this.token.text.toLowerCase() !== keyword) return false;
    this.take();
    return true;
  }

  private take(): void {
    ({ token: this.token, end: this.end } = nextToken(this.text, this.end));
  }

  private fail(reason: string): never {
    const { kind, text } = this.token;
    const found = kind === 'end' ? 'the end' : kind === 'string' ? `the value ${quote(text)}` : quote(text);
    throw new ScimError('invalidFilter', `The filter has ${found} at character ${this.token.at + 1}; ${reason}.`);
  }
}

/** Joins two filters by `and`, without nesting one `and` in another. */
function conjoin(left: Filter, right: Filter): Filter {
  const terms = left.kind === 'and' ? left.terms : [left];
  return { kind: 'and', terms: [...terms, right] };
}

/**
 * Parses a filter (RFC 7644 section 3.4.2.2, figure 1). Operators and names are case-insensitive; `not` binds tighter
 * than `and`, `and` tighter than `or`.
 * @param text at most 8,192 characters, 200 expressions and 50 levels of nesting
 * @throws ScimError invalidFilter, naming the character where reading stopped
 */
export function parseFilter(text: string): Filter {
  if (text.length > limits.filterLength) {
    throw new ScimError('invalidFilter', `The filter is longer than ${limits.filterLength} characters.`);
  }
  const parser = new FilterParser(text, 0);
  const filter = parser.filter(false);
  parser.expectEnd();
  return filter;
}

/**
 * Parses the filter inside the brackets of a value path.
 *
 *     valFilter = attrExp / logExp / *1"not" "(" valFilter ")"
 *
 * @param text the whole path
 * @param start the offset behind "["
 * @returns the filter, and the offset of the token behind it
 * @throws ScimError invalidFilter
 */
export function parseValFilter(text: string, start: number): { filter: Filter; end: number } {
  const parser = new FilterParser(text, start);
  const filter = parser.filter(true);
  return { filter, end: parser.offset };
}
