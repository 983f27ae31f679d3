import { parser } from '@prometheus-io/lezer-promql';
import type { Sample } from './exposition.js';

/** What a selector asks of a label. */
interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** A metric that a query reads, with what it asks of its labels. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** What a query reads. */
export interface Query {
  readonly selectors: readonly Selector[];
  /** The labels that results are grouped by. */
  readonly groupedBy: readonly string[];
}

/**
 * Reads a PromQL expression with Prometheus's own grammar.
 * @throws Error where it is not PromQL
 */
export function readQuery(text: string): Query {
  const selectors: { metric: string; matchers: Matcher[] }[] = [];
  const groupedBy: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, name, from, to, node }) => {
      const at = text.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${text.slice(from)}`);
      if (name === 'VectorSelector') {
        const metric = node.getChild('Identifier');
        if (!metric) throw new Error(`a selector without a metric: ${at}`);
        selectors.push({ metric: text.slice(metric.from, metric.to), matchers: [] });
      }
      if (name === 'UnquotedLabelMatcher') {
        const [, label = '', operator = '', value = ''] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(at) ?? [];
        selectors.at(-1)?.matchers.push({ label, operator, value: JSON.parse(`"${value}"`) as string });
      }
      if (name === 'GroupingLabels') groupedBy.push(...(at.match(/\w+/g) ?? []));
    },
  });
  return { selectors, groupedBy };
}

/** Whether a sample is one that the selector chooses, as Prometheus does: regular expressions match the whole value. */
export function selects({ metric, matchers }: Selector, { name, labels }: Sample): boolean {
  if (name !== metric) return false;
  return matchers.every(({ label, operator, value }) => {
    const given = labels[label] ?? '';
    const same = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(given) : given === value;
    return operator.startsWith('!') ? !same : same;
  });
}
