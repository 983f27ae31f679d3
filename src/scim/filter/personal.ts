import type { BoundFilter } from './bind.js';

/** Attributes whose values say nothing about who somebody is. All others are personal data. */
const impersonal: ReadonlySet<string> = new Set([
  'schemas',
  'id',
  'meta',
  'active',
  'userType',
  'preferredLanguage',
  'locale',
  'timezone',
  'groups',
  'entitlements',
  'roles',
  'members',
]);

/**
 * Whether a filter compares personal data with a value, which would then be part of a URL (RFC 7644 section 7.5.2). Asking
 * whether there is a value gives nothing away. What groups are called is not personal.
 * @param type the name of the resource type
 */
export function namesPersonal(filter: BoundFilter, type: string): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.some((term) => namesPersonal(term, type));
    case 'not':
      return namesPersonal(filter.term, type);
    case 'compare':
    case 'element':
      return isPersonal(filter.target.attribute.name, type);
    case 'present':
    case 'presentExtension':
      return false;
  }
}

const isPersonal = (name: string, type: string): boolean =>
  !impersonal.has(name) && !(type === 'Group' && name === 'displayName');
