/** One line of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/**
 * Reads the Prometheus text format.
 * @throws Error for a line that is none of it, and for a sample whose metric has no TYPE line before it
 */
export function readExposition(text: string): Sample[] {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const each of text.split('\n').filter((each) => each !== '')) {
    const [, typed, type] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(each) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    if (each.startsWith('#')) continue;
    const [, name, labels = '', value] = line.exec(each) ?? [];
    if (name === undefined || !types.has(familyOf(name, types))) throw new Error(`not a sample: ${each}`);
    samples.push({ name, labels: readLabels(labels), value: value === '+Inf' ? Infinity : Number(value) });
  }
  return samples;
}

/** The metric that a sample belongs to: without what histograms append to it. */
export function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  const family = name.replace(/_(?:bucket|sum|count)$/, '');
  return types.has(name) ? name : family;
}

function readLabels(text: string): Record<string, string> {
  const found = [...text.matchAll(label)];
  if (found.map(([whole]) => whole).join('') !== text) throw new Error(`not labels: ${text}`);
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value.replace(/\\(.)/g, '$1')]));
}

/** The samples of a name whose labels include those given. */
export function withLabels(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): Sample[] {
  return samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
}

/** The sum of the samples of a name whose labels include those given. */
export function total(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return withLabels(samples, name, labels).reduce((sum, { value }) => sum + value, 0);
}
