import { quote, ScimError } from '../errors.js';
import type { Filter } from '../filter/ast.js';
import { bindValFilter, type BoundFilter } from '../filter/bind.js';
import { parsePatchPath } from '../filter/patch-path.js';
import type { Profile } from '../profile.js';
import { isSchemaTarget, type AttributeTarget, type ResourceSchema, type SchemaTarget } from '../schema/registry.js';
import { subAttribute } from '../schema/schema.js';

/** An attribute that a PATCH operation changes; with a filter, only in the elements that match. */
export interface PatchAttribute extends AttributeTarget {
  /** The path as the client wrote it, for details. */
  readonly text: string;
  readonly filter?: { readonly written: Filter; readonly bound: BoundFilter };
}

/** What the path of a PATCH operation points to: an attribute or a whole schema. */
export type PatchTarget = PatchAttribute | SchemaTarget;

/**
 * Resolves the path of a PATCH operation (RFC 7644 section 3.5.2).
 * @throws ScimError invalidPath for a malformed path, an unknown attribute, or brackets on an attribute that is not
 *   multi-valued; invalidFilter for what is between the brackets
 */
export function resolvePatchPath(text: string, schema: ResourceSchema, profile: Profile): PatchTarget {
  const { attrPath, filter, sub } = parsePatchPath(text);
  const target = schema.resolve(attrPath);
  if (!target) throw new ScimError('invalidPath', `${quote(text)} does not name an attribute of ${schema.name}.`);
  if (!filter) return isSchemaTarget(target) ? target : { ...target, text };
  if (
    isSchemaTarget(target) ||
    target.subAttribute ||
    !target.attribute.multiValued ||
    !target.attribute.subAttributes
  ) {
    throw new ScimError(
      'invalidPath',
      `${quote(text)} has brackets, but only a multi-valued complex attribute takes them.`,
    );
  }
  const bound = { ...target, text, filter: { written: filter, bound: bindValFilter(filter, target, profile) } };
  if (sub === undefined) return bound;
  const found = subAttribute(target.attribute, sub);
  if (!found) throw new ScimError('invalidPath', `${quote(target.attribute.name)} has no sub-attribute ${quote(sub)}.`);
  return { ...bound, subAttribute: found };
}

/**
 * Checks that a client may change a target at all (RFC 7643 section 2.2 "mutability").
 * @throws ScimError mutability
 */
export function checkWritable(target: PatchAttribute): void {
  const { attribute, subAttribute: sub, text } = target;
  if (attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly') {
    throw new ScimError('mutability', `${quote(text)} is readOnly.`);
  }
  if (sub?.mutability === 'immutable' && attribute.multiValued) {
    throw new ScimError(
      'mutability',
      `${quote(text)} is immutable; add and remove whole values of ${attribute.name} instead.`,
    );
  }
}
