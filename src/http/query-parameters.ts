import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { ScimError, type ProjectionRequest, type SearchRequest } from '../scim/index.js';
import { prefersRepresentation } from './prefer.js';

/** What a client asks of a write and of its answer. */
export interface WriteOptions extends ProjectionRequest {
  /** The If-Match header (RFC 7644 section 3.14). */
  readonly ifMatch?: string | undefined;
  /** Whether the client asks for a body where the answer would have none (RFC 7240 `return=representation`). */
  readonly prefersBody?: boolean;
}

/** The query of a list as a handler's argument. */
export const Query = createParamDecorator((_: unknown, execution: ExecutionContext): SearchRequest =>
  readQuery(execution.switchToHttp().getRequest<Request>()),
);

/** The options of a write as a handler's argument. */
export const Options = createParamDecorator((_: unknown, execution: ExecutionContext): WriteOptions => {
  const request = execution.switchToHttp().getRequest<Request>();
  const { attributes, excludedAttributes } = readQuery(request);
  return {
    ...(attributes ? { attributes } : {}),
    ...(excludedAttributes ? { excludedAttributes } : {}),
    ifMatch: request.headers['if-match'],
    prefersBody: prefersRepresentation(request),
  };
});

const single = [
  'filter',
  'sortBy',
  'sortOrder',
  'startIndex',
  'count',
  'cursor',
  'attributes',
  'excludedAttributes',
] as const;
type Parameter = (typeof single)[number];

const byLowerCase = new Map<string, Parameter>(single.map((name) => [name.toLowerCase(), name]));

function decode(text: string, name = 'the query string'): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    const row = name === 'filter' ? 'invalidFilter' : 'invalidSyntax';
    throw new ScimError(row, `${name} is not valid percent-encoded UTF-8.`);
  }
}

/**
 * Reads the query string. Parameters that SCIM does not define are ignored (RFC 7644 section 3.4.2); those that it defines
 * are read in any case, because a filter that is ignored would match everybody.
 * @throws ScimError invalidValue for a repeated parameter, and for U+0000 among names; invalidSyntax or invalidFilter for malformed encoding
 */
export function readQuery(request: Request): SearchRequest {
  const found: Partial<Record<Parameter, string>> = {};
  const at = request.originalUrl.indexOf('?');
  const pairs = at < 0 ? [] : request.originalUrl.slice(at + 1).split('&');
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = byLowerCase.get(decode(equals < 0 ? pair : pair.slice(0, equals)).toLowerCase());
    if (name === undefined) continue;
    if (found[name] !== undefined) throw new ScimError('invalidValue', `${name} is given twice.`);
    found[name] = equals < 0 ? '' : decode(pair.slice(equals + 1), name);
  }
  const { attributes, excludedAttributes, ...rest } = found;
  return { ...rest, ...names('attributes', attributes), ...names('excludedAttributes', excludedAttributes) };
}

function names(parameter: 'attributes' | 'excludedAttributes', text: string | undefined): ProjectionRequest {
  if (text === undefined) return {};
  // Other names that no attribute has are ignored; this is no text.
  if (text.includes('\0')) throw new ScimError('invalidValue', `${parameter} holds U+0000.`);
  const named = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  // An empty list is no list, as in the body of a search (RFC 7643 section 2.5).
  return named.length === 0 ? {} : { [parameter]: named };
}
