import {
  leaf,
  limits,
  type Attribute,
  type AttributeTarget,
  type BoundFilter,
  type CompareOp,
  type JsonObject,
  type Sort,
} from '../../scim/index.js';
import { literal, targetKey, type SqlContext, type SqlElements, type SqlValue, type TableColumns } from './columns.js';

type Operand = string | number | boolean;
type Compare = Extract<BoundFilter, { kind: 'compare' }>;

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const comparators: Readonly<Partial<Record<CompareOp, string>>> = { eq: '=', gt: '>', ge: '>=', lt: '<', le: '<=' };

const sqlType = (attribute: Attribute): SqlValue['type'] => {
  if (attribute.type === 'boolean') return 'boolean';
  return attribute.type === 'integer' || attribute.type === 'decimal' ? 'numeric' : 'text';
};

/**
 * Compiles filters and sorting to SQL over one table (RFC 7644 sections 3.4.2.2 and 3.4.2.3). A compiled filter selects
 * exactly the rows that `evaluate` accepts. It is true or not true: SQL's null counts as false, also below `not`.
 */
export class SqlCompiler {
  constructor(
    private readonly columns: TableColumns,
    private readonly context: SqlContext,
  ) {}

  /** Whether no more than one row can match, and nothing but keys is read to find it: a unique index has them. */
  matchesOne(filter: BoundFilter): boolean {
    // A term beside a key reads the row that the key finds, which may be as large as a document.
    if (filter.kind === 'and') return filter.terms.length > 0 && filter.terms.every((term) => this.matchesOne(term));
    if (filter.kind !== 'compare' || filter.op !== 'eq') return false;
    return this.columns.unique.includes(targetKey(filter.target));
  }

  /** @returns an SQL condition on the row `r` */
  condition(filter: BoundFilter): string {
    switch (filter.kind) {
      case 'and':
        return filter.terms.map((term) => `(${this.condition(term)})`).join(' AND ') || 'TRUE';
      case 'or':
        return filter.terms.map((term) => `(${this.condition(term)})`).join(' OR ') || 'FALSE';
      case 'not':
        return `(${this.condition(filter.term)}) IS NOT TRUE`;
      case 'present':
        return this.present(filter.target);
      case 'presentExtension':
        return filter.schema.attributes
          .map((attribute) => `(${this.present({ extension: filter.schema, attribute })})`)
          .join(' OR ');
      case 'element':
        return this.element(filter.target, filter.filter);
      case 'compare':
        return this.compare(filter);
    }
  }

  /**
   * @returns the value that the row `r` is ordered by: of a multi-valued attribute the primary element's, else the first; of
   *   a text that no index has only the beginning
   */
  sortKey({ target }: Sort): SqlValue {
    const key = target.attribute.multiValued ? this.firstValue(target) : this.value(target);
    if (key.type !== 'text' || leaf(target).isIndexed) return key;
    return { ...key, sql: `left(${key.sql}, ${limits.sortedLength})` };
  }

  /** @returns an SQL condition on the rows `e` of a multi-valued attribute */
  elementCondition(filter: BoundFilter, elements: SqlElements): string {
    return this.onElement(filter, elements);
  }

  private compare({ target, op, value }: Compare): string {
    const isColumn = targetKey(target) in this.columns.values || target.attribute.name in this.columns.elements;
    if (op === 'eq' && !isColumn) return this.contains(nested(target, value));
    if (!target.attribute.multiValued) return this.compareValue(this.value(target), op, value);
    const elements = this.elements(target);
    const matching = exists(elements, this.compareValue(this.field(target, elements), op, value));
    return op === 'ne' ? `NOT ${exists(elements)} OR ${matching}` : matching;
  }

  private compareValue({ sql, type, isOfElement }: SqlValue, op: CompareOp, value: Operand): string {
    if (type === 'uuid') return this.compareUuid(sql, op, value);
    const collated = type === 'text' && op !== 'eq' && op !== 'ne' ? `(${sql}) COLLATE "C"` : `(${sql})`;
    if (op === 'ne') return `${collated} IS DISTINCT FROM ${this.operand(value, type)}`;
    const comparator = comparators[op];
    if (comparator) return `${collated} ${comparator} ${this.operand(value, type)}`;
    if (op === 'sw') return this.startsWith(collated, String(value));
    if (isOfElement) return this.hasPart(collated, op, String(value));
    // An index of trigrams, where the operator made one, serves this form only.
    return `${collated} LIKE ${this.context.parameter(pattern(op, String(value)))}`;
  }

  /** Whether a text that no index can have holds a part, or ends with it: in a time that is linear in the text. */
  private hasPart(collated: string, op: CompareOp, part: string): string {
    const operand = `${this.context.parameter(part)}::text`;
    return op === 'ew' ? `right(${collated}, length(${operand})) = ${operand}` : `strpos(${collated}, ${operand}) > 0`;
  }

  /** A prefix as a range of the bytes' order: unlike a pattern, it uses an index whenever the plan was made. */
  private startsWith(collated: string, prefix: string): string {
    const from = `${collated} >= ${this.context.parameter(prefix)}`;
    const end = successor(prefix);
    return end === undefined ? from : `${from} AND ${collated} < ${this.context.parameter(end)}`;
  }

  private compareUuid(sql: string, op: CompareOp, value: Operand): string {
    if (op !== 'eq' && op !== 'ne') return this.compareValue({ sql: `${sql}::text`, type: 'text' }, op, value);
    if (!uuidPattern.test(String(value))) return op === 'eq' ? 'FALSE' : 'TRUE';
    return `${sql} ${op === 'eq' ? '=' : 'IS DISTINCT FROM'} ${this.context.parameter(value)}::uuid`;
  }

  private operand(value: Operand, type: SqlValue['type']): string {
    // Said in the statement, so that a plan can choose by it: nearly all are active.
    if (typeof value === 'boolean') return String(value).toUpperCase();
    return `${this.context.parameter(value)}::${type}`;
  }

  private present(target: AttributeTarget): string {
    const { attribute, subAttribute } = target;
    const parts =
      subAttribute || !attribute.subAttributes
        ? [target]
        : attribute.subAttributes.map((sub) => ({ ...target, subAttribute: sub }));
    if (!attribute.multiValued) return parts.map((part) => isPresent(this.value(part))).join(' OR ');
    const elements = this.elements(target);
    return exists(elements, parts.map((part) => isPresent(this.field(part, elements))).join(' OR '));
  }

  private element(target: AttributeTarget, filter: BoundFilter): string {
    const described = target.attribute.name in this.columns.elements ? undefined : describedElement(filter);
    if (described) return this.containsElement(target, described);
    const elements = this.elements(target);
    return exists(elements, this.onElement(filter, elements));
  }

  private onElement(filter: BoundFilter, elements: SqlElements): string {
    switch (filter.kind) {
      case 'and':
      case 'or':
        return filter.terms
          .map((term) => `(${this.onElement(term, elements)})`)
          .join(filter.kind === 'and' ? ' AND ' : ' OR ');
      case 'not':
        return `(${this.onElement(filter.term, elements)}) IS NOT TRUE`;
      case 'present':
        return isPresent(this.field(filter.target, elements));
      case 'compare':
        return this.compareValue(this.field(filter.target, elements), filter.op, filter.value);
      default:
        throw new Error(`A value path cannot hold ${filter.kind}`);
    }
  }

  /** Equality as containment, which the index on the tenant's folded documents answers. */
  private contains(document: JsonObject): string {
    const { parameter, tenantId } = this.context;
    return `${tenantDocument} @> ${parameter(JSON.stringify({ [tenantId]: document }))}::jsonb`;
  }

  /**
   * One element with all these values. The index is asked for its \`value\` alone where that is given: very many elements
   * have the same \`type\`.
   */
  private containsElement(target: AttributeTarget, element: JsonObject): string {
    const { value } = element;
    if (value === undefined || Object.keys(element).length === 1) return this.contains(wrap(target, [element]));
    const whole = `r.folded @> ${this.context.parameter(JSON.stringify(wrap(target, [element])))}::jsonb`;
    return `${this.contains(wrap(target, [{ value }]))} AND ${whole}`;
  }

  private value(target: AttributeTarget): SqlValue {
    const column = this.columns.values[targetKey(target)];
    if (column) return column(this.context);
    const names = [
      ...(target.extension ? [target.extension.id] : []),
      target.attribute.name,
      ...(target.subAttribute ? [target.subAttribute.name] : []),
    ];
    return jsonValue('r.folded', names, leaf(target));
  }

  private elements(target: AttributeTarget): SqlElements {
    const rows = this.columns.elements[target.attribute.name];
    if (rows && !target.extension) return rows(this.context);
    const path = [...(target.extension ? [target.extension.id] : []), target.attribute.name];
    const array = `r.folded${path.map((name) => ` -> ${literal(name)}`).join('')}`;
    return { from: `jsonb_array_elements(${array}) WITH ORDINALITY AS e(v, n)`, fields: {} };
  }

  private field(target: AttributeTarget, elements: SqlElements): SqlValue {
    const { attribute, subAttribute } = target;
    const field = elements.fields[subAttribute?.name ?? 'value'];
    if (field) return { ...field, isOfElement: true };
    const value = subAttribute ? jsonValue('e.v', [subAttribute.name], subAttribute) : typed(`e.v #>> '{}'`, attribute);
    return { ...value, isOfElement: true };
  }

  private firstValue(target: AttributeTarget): SqlValue {
    const elements = this.elements(target);
    const field = this.field(target, elements);
    // Rows have no primary; representations list them by their ids.
    const order = elements.fields['value']?.sql ?? `(e.v -> 'primary' IS NOT DISTINCT FROM 'true') DESC, e.n`;
    return { sql: `(SELECT ${field.sql} FROM ${elements.from} ORDER BY ${order} LIMIT 1)`, type: field.type };
  }
}

function exists(elements: SqlElements, condition?: string): string {
  return `EXISTS (SELECT 1 FROM ${elements.from}${condition === undefined ? '' : ` WHERE ${condition}`})`;
}

function isPresent({ sql, type }: SqlValue): string {
  return type === 'text' ? `(${sql}) <> ''` : `(${sql}) IS NOT NULL`;
}

function jsonValue(from: string, names: readonly string[], attribute: Attribute): SqlValue {
  const last = names.length - 1;
  const sql = from + names.map((name, index) => ` ${index === last ? '->>' : '->'} ${literal(name)}`).join('');
  return typed(sql, attribute);
}

/** The text of a JSON value as a value of its attribute's type. */
function typed(text: string, attribute: Attribute): SqlValue {
  const type = sqlType(attribute);
  return { sql: type === 'text' ? text : `(${text})::${type}`, type };
}

// As the index has it.
const tenantDocument = `jsonb_set('{}'::jsonb, ARRAY[r.tenant_id::text], r.folded)`;

/** The first text, in the order of code points, after all that begin with a prefix; undefined when there is none. */
function successor(prefix: string): string | undefined {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) as number;
    // There are no characters among the surrogates.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return undefined;
}

/** A LIKE pattern in which the operand stands for itself. */
function pattern(op: CompareOp, operand: string): string {
  const escaped = operand.replace(/[\\%_]/g, '\\$&');
  return op === 'ew' ? `%${escaped}` : `%${escaped}%`;
}

/** The part of a folded document that holds a value of the attribute. */
function wrap({ extension, attribute }: AttributeTarget, value: JsonObject[string]): JsonObject {
  const document = { [attribute.name]: value };
  return extension ? { [extension.id]: document } : document;
}

/** The part of a folded document that says a target equals a value. */
function nested(target: AttributeTarget, value: Operand): JsonObject {
  const { attribute, subAttribute } = target;
  const inner = subAttribute ? { [subAttribute.name]: value } : value;
  return wrap(target, attribute.multiValued ? [inner] : inner);
}

/** The element that a conjunction of `eq` terms describes; undefined for any other filter. */
function describedElement(filter: BoundFilter): JsonObject | undefined {
  const element: JsonObject = {};
  for (const term of filter.kind === 'and' ? filter.terms : [filter]) {
    const name = term.kind === 'compare' && term.op === 'eq' ? term.target.subAttribute?.name : undefined;
    if (term.kind !== 'compare' || name === undefined) return undefined;
    if (element[name] !== undefined && element[name] !== term.value) return undefined;
    element[name] = term.value;
  }
  return element;
}
