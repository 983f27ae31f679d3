import { createInterface } from 'node:readline/promises';

/** Where a command writes and asks. */
export interface Terminal {
  /** Writes a result. */
  readonly write: (text: string) => void;
  /** Writes what is not a result: errors, remarks. */
  readonly remark: (text: string) => void;
  /** Asks whoever sits there; absent where nobody does. */
  readonly ask?: (question: string) => Promise<string>;
}

/** The process's own terminal. It asks only where somebody can answer. */
export function processTerminal(): Terminal {
  const terminal: Terminal = {
    write: (text) => void process.stdout.write(text),
    remark: (text) => void process.stderr.write(text),
  };
  return process.stdin.isTTY ? { ...terminal, ask } : terminal;
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

/** What is shown for a value: nothing for what is not there. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
}

/** Lays rows out in columns under headings. */
export function table<T extends object>(rows: readonly T[], columns: readonly (keyof T & string)[]): string {
  const lines = [
    columns.map((column) => column.toUpperCase()),
    ...rows.map((row) => columns.map((c) => shown(row[c]))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const laidOut = lines.map((line) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${laidOut.join('\n')}\n`;
}

/** Lays an object out, a member a line; the members of an object within it by their path. */
export function sheet(object: object): string {
  const lines = members(object, '');
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

function members(object: object, within: string): [name: string, value: string][] {
  return Object.entries(object).flatMap(([name, value]: [string, unknown]): [string, string][] =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? members(value, `${within}${name}.`)
      : [[within + name, shown(value)]],
  );
}
