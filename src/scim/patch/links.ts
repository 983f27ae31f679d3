import type { LinkPortion } from '../link-portions.js';
import { quote, ScimError } from '../errors.js';
import type { Filter } from '../filter/ast.js';
import type { BoundFilter } from '../filter/bind.js';
import { limits } from '../limits.js';
import type { Profile } from '../profile.js';
import { isJsonObject, isUnassigned, type JsonObject, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import { readElements } from '../validate/value.js';
import { listedElements } from './compat.js';
import type { PatchOperation } from './operation.js';
import type { PatchAttribute } from './target.js';

/** A link to another resource, such as a group's member. `type` is what the client claims the resource is. */
export interface Link {
  readonly value: string;
  readonly type?: string;
}

/** A change of a resource's links. Links are kept beside the document, so a change never reads those it leaves alone. */
export type LinkChange =
  | { readonly kind: 'add' | 'replaceAll'; readonly links: readonly Link[] }
  | { readonly kind: 'remove'; readonly values: readonly string[] }
  | { readonly kind: 'removeWhere'; readonly filter: BoundFilter }
  | { readonly kind: 'removeAll' };

/**
 * Reads the elements of an attribute that links resources, such as `members`.
 * @returns one link for each distinct `value`
 * @throws ScimError invalidValue for an element without a `value`
 */
export function readLinks(attribute: Attribute, value: JsonValue, profile: Profile, where: string): Link[] {
  const links = new Map<string, Link>();
  for (const link of linksIn(attribute, readElements(attribute, value, profile, where), where)) {
    links.set(link.value, link);
  }
  return [...links.values()];
}

/**
 * Reads some elements of a long list of links, as `readLinks` reads them all.
 * @param first how many elements come before these
 * @returns one link for each element
 */
export function readLinkPortion(attribute: Attribute, portion: LinkPortion, profile: Profile, first: number): Link[] {
  const { name } = attribute;
  if ('json' in portion) {
    const given = JSON.parse(portion.json) as JsonValue;
    return linksIn(attribute, readElements(attribute, given, profile, name, first), name);
  }
  const types = portion.types.split('\n');
  return portion.ids.split('\n').map((id, index) => linkTo(attribute, id, types[index] || undefined, name));
}

function linksIn(attribute: Attribute, elements: readonly JsonValue[], where: string): Link[] {
  return (elements as readonly JsonObject[]).map(({ value: id, type }) => {
    if (typeof id !== 'string' || id === '') {
      throw new ScimError('invalidValue', `Each of ${where} must have the id of a resource as its "value".`);
    }
    return linkTo(attribute, id, type, where);
  });
}

function linkTo(attribute: Attribute, id: string, type: JsonValue | undefined, where: string): Link {
  const linked = typeof type === 'string' ? linkType(attribute, type, where) : undefined;
  return { value: id, ...(linked === undefined ? {} : { type: linked }) };
}

function linkType(attribute: Attribute, given: string, where: string): string {
  const found = attribute.linksTo?.find((type) => type.toLowerCase() === given.toLowerCase());
  if (found !== undefined) return found;
  throw new ScimError(
    'invalidValue',
    `${where}: "type" must be ${attribute.linksTo?.join(' or ')}, not ${quote(given)}.`,
  );
}

/**
 * Reads a PATCH operation on an attribute that links resources as a change of links (RFC 7644 section 3.5.2). Elements
 * can be added and removed; one element's `value` is immutable (RFC 7643 section 4.2).
 * @returns undefined when the operation changes nothing
 * @throws ScimError invalidValue, mutability, or payloadTooLarge for more than 10,000 links in one operation
 */
export function linkChange(
  operation: PatchOperation,
  target: PatchAttribute,
  profile: Profile,
): LinkChange | undefined {
  const { attribute, filter } = target;
  if (operation.op === 'remove') return removal(operation, target, profile);
  if (filter) {
    throw new ScimError(
      'mutability',
      `${quote(target.text)}: a value of ${attribute.name} cannot be edited; remove it and add another.`,
    );
  }
  const { op, value } = operation;
  if (isUnassigned(value)) return op === 'replace' ? { kind: 'removeAll' } : undefined;
  // One object may be added as it is; a whole set is an array.
  const given = op === 'add' && isJsonObject(value) ? [value] : value;
  const links = readLinks(attribute, given, profile, attribute.name);
  checkCount(links.length, attribute);
  return { kind: op === 'add' ? 'add' : 'replaceAll', links };
}

function removal(operation: PatchOperation, target: PatchAttribute, profile: Profile): LinkChange | undefined {
  const { attribute, filter } = target;
  if (filter) {
    const values = namedValues(filter.written);
    return values ? { kind: 'remove', values } : { kind: 'removeWhere', filter: filter.bound };
  }
  if (operation.value === undefined) return { kind: 'removeAll' };
  if (isUnassigned(operation.value)) return undefined;
  const listed = listedElements(operation.value);
  checkCount(listed.length, attribute);
  const encoded = listed.find(({ value }) => typeof value === 'string' && /^\s*[[{]/.test(value));
  if (encoded) throw new ScimError('invalidValue', `${attribute.name}: ${quote(encoded['value'])} is not an id.`);
  return { kind: 'remove', values: readLinks(attribute, listed, profile, attribute.name).map(({ value }) => value) };
}

/** The ids that a filter such as `value eq "a" or value eq "b"` names; undefined when it asks anything else. */
function namedValues(filter: Filter): string[] | undefined {
  const terms = filter.kind === 'or' ? filter.terms : [filter];
  const values: string[] = [];
  for (const term of terms) {
    if (term.kind !== 'compare' || term.op !== 'eq' || typeof term.value !== 'string') return undefined;
    if (term.path.name.toLowerCase() !== 'value') return undefined;
    values.push(term.value);
  }
  return values;
}

function checkCount(count: number, attribute: Attribute): void {
  if (count <= limits.patchMembers) return;
  throw new ScimError(
    'payloadTooLarge',
    `One operation may name ${limits.patchMembers} ${attribute.name}; this one names ${count}.`,
  );
}

/** A change that names the links it adds or takes away. */
type NamedChange =
  | { readonly kind: 'add'; readonly links: readonly Link[] }
  | { readonly kind: 'remove'; readonly values: readonly string[] };

const isNamed = (change: LinkChange): change is NamedChange => change.kind === 'add' || change.kind === 'remove';

/** So many changes are carried out one after the other, as they were asked for. */
const fewChanges = 10;

/**
 * Puts very many changes together where that comes to the same: each run of changes that name links becomes one that adds and one that
 * takes away. A link that a run both adds and takes away is added, so that it is found to exist, and stays as the last
 * change says.
 * @throws ScimError payloadTooLarge when more than 50 changes are left
 */
export function joinLinkChanges(changes: readonly LinkChange[]): LinkChange[] {
  if (changes.length <= fewChanges) return [...changes];
  const joined: LinkChange[] = [];
  for (let at = 0; at < changes.length;) {
    const end = changes.findIndex((change, index) => index >= at && !isNamed(change));
    const run = changes.slice(at, end < 0 ? changes.length : end) as NamedChange[];
    joined.push(...joinRun(run));
    at += run.length;
    const other = changes[at++];
    if (other) joined.push(other);
  }
  if (joined.length <= limits.patchLinkChanges) return joined;
  throw new ScimError(
    'payloadTooLarge',
    `The operations come to more than ${limits.patchLinkChanges} changes of members in turn; send them in several requests.`,
  );
}

function joinRun(run: readonly NamedChange[]): LinkChange[] {
  const links: Link[] = [];
  const last = new Map<string, NamedChange['kind']>();
  for (const change of run) {
    if (change.kind === 'add') links.push(...change.links);
    const ids = change.kind === 'add' ? change.links.map(({ value }) => value) : change.values;
    for (const id of ids) last.set(id, change.kind);
  }
  const values = [...last].filter(([, kind]) => kind === 'remove').map(([id]) => id);
  return [
    ...(links.length > 0 ? [{ kind: 'add', links } as const] : []),
    ...(values.length > 0 ? [{ kind: 'remove', values } as const] : []),
  ];
}
