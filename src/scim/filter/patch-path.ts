import { quote, ScimError } from '../errors.js';
import { limits } from '../limits.js';
import type { Filter } from './ast.js';
import { parseAttrPath, printAttrPath, type AttrPath } from './attr-path.js';
import { parseValFilter } from './parser.js';
import { printFilter } from './print.js';

/** A PATCH path as written (RFC 7644 section 3.5.2, figure 7). With a filter, `sub` stands behind the brackets. */
export interface PatchPath {
  readonly attrPath: AttrPath;
  readonly filter?: Filter;
  readonly sub?: string;
}

/**
 * Parses the path of a PATCH operation.
 *
 *     PATH = attrPath / valuePath [subAttr]
 *
 * @param text at most 8,192 characters
 * @throws ScimError invalidPath, or invalidFilter for what is between the brackets
 */
export function parsePatchPath(text: string): PatchPath {
  if (text.length > limits.pathLength) {
    throw new ScimError('invalidPath', `The path is longer than ${limits.pathLength} characters.`);
  }
  const open = text.indexOf('[');
  const attrPath = parseAttrPath(open < 0 ? text : text.slice(0, open));
  if (!attrPath)
    throw new ScimError(
      'invalidPath',
      `${quote(text)} is not a path such as name.familyName or emails[type eq "work"].value.`,
    );
  if (open < 0) return { attrPath };
  const { filter, end } = parseValFilter(text, open + 1);
  if (text[end] !== ']') throw new ScimError('invalidPath', `The path ${quote(text)} lacks a "]".`);
  const rest = text.slice(end + 1);
  if (rest === '') return { attrPath, filter };
  const sub = rest.startsWith('.') ? parseAttrPath(rest.slice(1)) : undefined;
  if (!sub || sub.uri !== undefined || sub.sub !== undefined) {
    throw new ScimError(
      'invalidPath',
      `The path ${quote(text)} has ${quote(rest)} behind "]"; only a sub-attribute may follow.`,
    );
  }
  return { attrPath, filter, sub: sub.name };
}

/** Writes a PATCH path as text; the inverse of `parsePatchPath`. */
export function printPatchPath(path: PatchPath): string {
  const filter = path.filter ? `[${printFilter(path.filter)}]` : '';
  return `${printAttrPath(path.attrPath)}${filter}${path.sub === undefined ? '' : `.${path.sub}`}`;
}
