import { quote, ScimError } from './errors.js';
import { checkMessageSchema, memberOf } from './message-body.js';
import { messageUrn } from './messages.js';
import type { Profile } from './profile.js';
import { isJsonObject, isUnassigned, type JsonObject, type JsonValue } from './resource.js';

/** Which attributes an answer carries (RFC 7644 section 3.9). */
export interface ProjectionRequest {
  readonly attributes?: readonly string[];
  readonly excludedAttributes?: readonly string[];
}

/** A query: what GET has in its query string and POST /.search in its body (RFC 7644 sections 3.4.2 and 3.4.3). */
export interface SearchRequest extends ProjectionRequest {
  readonly filter?: string;
  readonly sortBy?: string;
  readonly sortOrder?: string;
  readonly startIndex?: string | number;
  readonly count?: string | number;
  /** Asks for cursor-based pagination; "" for the first page (RFC 9865 section 2). */
  readonly cursor?: string;
}

/**
 * Reads the body of POST /.search (RFC 7644 section 3.4.3).
 * @throws ScimError invalidSyntax when the body is not a SearchRequest message; invalidValue for a member of another type
 */
export function readSearchRequest(body: JsonValue | undefined, profile: Profile): SearchRequest {
  if (!isJsonObject(body)) throw new ScimError('invalidSyntax', 'The body must be a SearchRequest message.');
  checkMessageSchema(body, messageUrn.searchRequest, profile);
  return {
    ...text(body, 'filter'),
    ...text(body, 'sortBy'),
    ...text(body, 'sortOrder'),
    ...text(body, 'cursor'),
    ...wholeNumber(body, 'startIndex'),
    ...wholeNumber(body, 'count'),
    ...names(body, 'attributes', profile),
    ...names(body, 'excludedAttributes', profile),
  };
}

const wrong = (name: string, expected: string, given: JsonValue): ScimError =>
  new ScimError('invalidValue', `${name} must be ${expected}, not ${quote(given)}.`);

function text<N extends string>(body: JsonObject, name: N): Partial<Record<N, string>> {
  const given = memberOf(body, name);
  if (isUnassigned(given)) return {};
  if (typeof given !== 'string') throw wrong(name, 'a string', given);
  return { [name]: given } as Partial<Record<N, string>>;
}

function wholeNumber<N extends string>(body: JsonObject, name: N): Partial<Record<N, number>> {
  const given = memberOf(body, name);
  if (isUnassigned(given)) return {};
  if (typeof given !== 'number') throw wrong(name, 'a whole number', given);
  return { [name]: given } as Partial<Record<N, number>>;
}

function names<N extends string>(body: JsonObject, name: N, profile: Profile): Partial<Record<N, string[]>> {
  const given = memberOf(body, name);
  if (isUnassigned(given)) return {};
  // As in a query string, where one string holds all names.
  const list = typeof given === 'string' && profile.singleForArray ? given.split(',') : given;
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw wrong(name, 'an array of attribute names', given);
  }
  return { [name]: list } as Partial<Record<N, string[]>>;
}
