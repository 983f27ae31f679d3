import type { Filter } from './ast.js';
import { printAttrPath } from './attr-path.js';

/** Writes a filter as text; `parseFilter` reads back the same filter. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'or':
      return filter.terms
        .map((term) => (term.kind === 'or' ? `(${printFilter(term)})` : printFilter(term)))
        .join(' or ');
    case 'and':
      return filter.terms
        .map((term) => (term.kind === 'or' || term.kind === 'and' ? `(${printFilter(term)})` : printFilter(term)))
        .join(' and ');
    case 'not':
      return `not (${printFilter(filter.term)})`;
    case 'compare':
      return `${printAttrPath(filter.path)} ${filter.op} ${JSON.stringify(filter.value)}`;
    case 'present':
      return `${printAttrPath(filter.path)} pr`;
    case 'valuePath':
      return `${printAttrPath(filter.path)}[${printFilter(filter.filter)}]`;
  }
}
