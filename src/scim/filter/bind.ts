import { instant } from '../date-time.js';
import { quote, ScimError } from '../errors.js';
import { limits } from '../limits.js';
import type { Profile } from '../profile.js';
import {
  isSchemaTarget,
  type AttributeTarget,
  type ResourceSchema,
  type SchemaRegistry,
  type Target,
} from '../schema/registry.js';
import { subAttribute, type Attribute, type Schema } from '../schema/schema.js';
import type { CompareOp, CompValue, Filter } from './ast.js';
import { printAttrPath, type AttrPath } from './attr-path.js';
import { foldString } from './fold.js';

/**
 * A filter whose names are resolved against a resource type and whose operands are checked and folded: what `evaluate`
 * and the SQL compiler both work on. Inside an `element`, targets are sub-attributes of that element.
 */
export type BoundFilter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly BoundFilter[] }
  | { readonly kind: 'not'; readonly term: BoundFilter }
  | {
      readonly kind: 'compare';
      readonly target: AttributeTarget;
      readonly op: CompareOp;
      readonly value: string | number | boolean;
    }
  | { readonly kind: 'present'; readonly target: AttributeTarget }
  | { readonly kind: 'presentExtension'; readonly schema: Schema }
  | { readonly kind: 'element'; readonly target: AttributeTarget; readonly filter: BoundFilter };

/** The attribute whose values a target compares: the sub-attribute when it names one. */
export function leaf(target: AttributeTarget): Attribute {
  return target.subAttribute ?? target.attribute;
}

/** How names that a resource type does not have are read. */
export interface BindOptions {
  /** When several types are searched: such a name is an attribute without a value, unless no schema here has its URI. */
  readonly absentIn?: SchemaRegistry;
}

/** Finds what a path names, undefined where it has no value; within an element, only its sub-attributes exist. */
type Resolve = (path: AttrPath) => Target | undefined;

const unknown = (path: AttrPath, where: string): ScimError =>
  new ScimError('invalidFilter', `${quote(printAttrPath(path))} is not an attribute of ${where}.`);

/**
 * Resolves a filter against a resource type (RFC 7644 section 3.4.2.2).
 * @throws ScimError invalidFilter for unknown attributes, attributes that are never returned, operators that do not
 *   apply to the attribute's type, operands of another type, and operands of co, sw and ew that are too long
 */
export function bindFilter(
  filter: Filter,
  schema: ResourceSchema,
  profile: Profile,
  { absentIn }: BindOptions = {},
): BoundFilter {
  const resolve: Resolve = (path) => {
    const target =
      schema.resolve(path) ?? (profile.unqualifiedExtensions ? schema.resolveUnqualified(path) : undefined);
    if (!target && !absentIn?.mayName(path)) throw unknown(path, schema.name);
    return target;
  };
  return bind(filter, resolve, profile);
}

/**
 * Resolves the filter of a value path against the elements of a multi-valued complex attribute.
 * @throws ScimError invalidFilter, as `bindFilter`
 */
export function bindValFilter(filter: Filter, target: AttributeTarget, profile: Profile): BoundFilter {
  const { attribute } = target;
  const resolve: Resolve = (path) => {
    const sub = path.uri === undefined && path.sub === undefined ? subAttribute(attribute, path.name) : undefined;
    if (!sub) throw unknown(path, `${quote(attribute.name)}; inside brackets only its sub-attributes can be named`);
    return { ...target, subAttribute: sub };
  };
  return bind(filter, resolve, profile);
}

function bind(filter: Filter, resolve: Resolve, profile: Profile): BoundFilter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, terms: filter.terms.map((term) => bind(term, resolve, profile)) };
    case 'not':
      return { kind: 'not', term: bind(filter.term, resolve, profile) };
    case 'valuePath': {
      const target = resolve(filter.path);
      if (!target) return never;
      if (
        isSchemaTarget(target) ||
        !target.attribute.multiValued ||
        !target.attribute.subAttributes ||
        target.subAttribute
      ) {
        const name = quote(printAttrPath(filter.path));
        throw new ScimError('invalidFilter', `${name} is not a multi-valued complex attribute, so it takes no "[".`);
      }
      return { kind: 'element', target, filter: bindValFilter(filter.filter, target, profile) };
    }
    case 'present':
      return bindPresent(resolve(filter.path), filter.path);
    case 'compare':
      return bindCompare(resolve(filter.path), filter, profile);
  }
}

function refuseHidden(target: AttributeTarget, path: AttrPath): void {
  if (target.attribute.returned === 'never' || leaf(target).returned === 'never') {
    throw new ScimError('invalidFilter', `${quote(printAttrPath(path))} cannot be used in a filter.`);
  }
}

// "and" of nothing is true, and "or" of nothing is false.
const always: BoundFilter = { kind: 'and', terms: [] };
const never: BoundFilter = { kind: 'or', terms: [] };

function bindPresent(target: Target | undefined, path: AttrPath): BoundFilter {
  if (!target) return never;
  if (isSchemaTarget(target)) {
    // Every resource has attributes of its base schema.
    return target.isBase ? always : { kind: 'presentExtension', schema: target.schema };
  }
  refuseHidden(target, path);
  return { kind: 'present', target };
}

function bindCompare(
  named: Target | undefined,
  { path, op, value }: Extract<Filter, { kind: 'compare' }>,
  profile: Profile,
): BoundFilter {
  if (!named) return (op === 'ne') === (value !== null) && (op === 'eq' || op === 'ne') ? always : never;
  if (isSchemaTarget(named)) {
    throw new ScimError('invalidFilter', `${quote(printAttrPath(path))} is a schema; it can only be tested with "pr".`);
  }
  if (value === null) {
    if (op !== 'eq' && op !== 'ne') throw new ScimError('invalidFilter', `"${op}" cannot compare with null.`);
    const present = bindPresent(named, path);
    return op === 'ne' ? present : { kind: 'not', term: present };
  }
  const target = comparable(named, path);
  refuseHidden(target, path);
  const operand = bindOperand(leaf(target), op, value, path, profile);
  return { kind: 'compare', target, op, value: operand };
}

/** A complex attribute compares by its `value`: `emails co "x"` means `emails.value` (RFC 7644 section 3.4.2.2). */
function comparable(target: AttributeTarget, path: AttrPath): AttributeTarget {
  if (leaf(target).type !== 'complex') return target;
  const value = subAttribute(target.attribute, 'value');
  if (value) return { ...target, subAttribute: value };
  throw new ScimError('invalidFilter', `${quote(printAttrPath(path))} is complex; name one of its sub-attributes.`);
}

const equality: readonly CompareOp[] = ['eq', 'ne'];
const partial: readonly CompareOp[] = ['co', 'sw', 'ew'];
const ordering: readonly CompareOp[] = [...equality, 'gt', 'ge', 'lt', 'le'];

/** The operators that apply to a type and the JSON type of its operand (RFC 7644 section 3.4.2.2, table 3). */
const comparison: Record<Attribute['type'], { ops?: readonly CompareOp[]; operand: 'string' | 'number' | 'boolean' }> =
  {
    string: { operand: 'string' },
    reference: { operand: 'string' },
    binary: { ops: equality, operand: 'string' },
    boolean: { ops: equality, operand: 'boolean' },
    integer: { ops: ordering, operand: 'number' },
    decimal: { ops: ordering, operand: 'number' },
    dateTime: { ops: ordering, operand: 'string' },
    complex: { ops: [], operand: 'string' },
  };

function bindOperand(
  attribute: Attribute,
  op: CompareOp,
  given: string | number | boolean,
  path: AttrPath,
  profile: Profile,
): string | number | boolean {
  const { ops, operand } = comparison[attribute.type];
  const name = quote(printAttrPath(path));
  if (ops && !ops.includes(op)) {
    throw new ScimError('invalidFilter', `"${op}" does not apply to ${name}, which is of type ${attribute.type}.`);
  }
  const value = operand === 'boolean' ? readBoolean(given, profile) : given;
  if (typeof value !== operand) {
    throw new ScimError('invalidFilter', `${name} is of type ${attribute.type}; compare it with a ${operand}.`);
  }
  if (typeof value !== 'string') return value;
  if (partial.includes(op) && value.length > limits.partialLength && [...value].length > limits.partialLength) {
    throw new ScimError(
      'invalidFilter',
      `"${op}" takes at most ${limits.partialLength} characters; ${name} is compared with more.`,
    );
  }
  if (attribute.type === 'dateTime' && instant(value) === undefined) {
    throw new ScimError('invalidFilter', `${name} compares with a dateTime such as "2011-05-13T04:42:34Z".`);
  }
  return foldString(attribute, value);
}

function readBoolean<V extends CompValue>(value: V, profile: Profile): V | boolean {
  if (!profile.booleanStrings || typeof value !== 'string') return value;
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : value;
}
