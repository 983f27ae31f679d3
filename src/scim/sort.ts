import { quote, ScimError } from './errors.js';
import { leaf, type BindOptions } from './filter/bind.js';
import { parseAttrPath } from './filter/attr-path.js';
import { isSchemaTarget, type AttributeTarget, type ResourceSchema } from './schema/registry.js';
import { subAttribute } from './schema/schema.js';

/** The order asked for: by the values of one attribute. */
export interface Sort {
  readonly target: AttributeTarget;
  readonly descending: boolean;
}

/**
 * Reads the sorting parameters (RFC 7644 section 3.4.2.3). A multi-valued complex attribute sorts by its `value`.
 * @returns undefined without sortBy: then resources come in the order of their creation
 * @throws ScimError invalidValue for an attribute that is unknown, never returned, or complex without a `value`, and for
 *   a sortOrder other than ascending or descending
 */
export function readSort(
  sortBy: string | undefined,
  sortOrder: string | undefined,
  schema: ResourceSchema,
  { absentIn }: BindOptions = {},
): Sort | undefined {
  if (sortBy === undefined) return undefined;
  const path = parseAttrPath(sortBy);
  const target = path && schema.resolve(path);
  if (path && !target && absentIn?.mayName(path)) return undefined;
  if (!target || isSchemaTarget(target)) throw unsortable(sortBy, schema);
  const sorted = sortable(target, sortBy);
  if (sorted.attribute.returned === 'never' || leaf(sorted).returned === 'never') throw unsortable(sortBy, schema);
  const order = (sortOrder ?? 'ascending').toLowerCase();
  if (order !== 'ascending' && order !== 'descending') {
    throw new ScimError('invalidValue', `sortOrder must be "ascending" or "descending", not ${quote(sortOrder)}.`);
  }
  return { target: sorted, descending: order === 'descending' };
}

const unsortable = (sortBy: string, schema: ResourceSchema): ScimError =>
  new ScimError('invalidValue', `sortBy: ${quote(sortBy)} is not an attribute of ${schema.name} to sort by.`);

function sortable(target: AttributeTarget, sortBy: string): AttributeTarget {
  if (target.subAttribute || target.attribute.type !== 'complex') return target;
  const value = subAttribute(target.attribute, 'value');
  if (value) return { ...target, subAttribute: value };
  throw new ScimError('invalidValue', `sortBy: ${quote(sortBy)} is complex; name one of its sub-attributes.`);
}
