import type { AttrPath } from './attr-path.js';

/** The comparison operators (RFC 7644 section 3.4.2.2, table 3). */
export const compareOps = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le'] as const;

/** A comparison operator. */
export type CompareOp = (typeof compareOps)[number];

/** A comparison value: JSON false, null, true, number or string. */
export type CompValue = string | number | boolean | null;

/** A filter as written (RFC 7644 section 3.4.2.2). `and` and `or` hold two terms or more. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  | { readonly kind: 'compare'; readonly path: AttrPath; readonly op: CompareOp; readonly value: CompValue }
  | { readonly kind: 'present'; readonly path: AttrPath }
  | { readonly kind: 'valuePath'; readonly path: AttrPath; readonly filter: Filter };
