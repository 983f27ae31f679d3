import type { Command } from 'commander';
import type { JsonObject } from '../scim/index.js';
import { administer, type AdminOptions } from './administer.js';
import type { Administration } from './administration.js';
import { writeResult, type Surroundings } from './command.js';
import { sheet } from './terminal.js';

/** The options of a command that makes a credential. */
export interface CreateOptions extends AdminOptions {
  readonly name: string;
  readonly scopes?: string;
  readonly expires?: string;
}

/** The options of a command that replaces a secret. */
export interface RotateOptions extends AdminOptions {
  readonly overlap?: string;
  readonly expires?: string;
}

/** Adds the options that say what a credential is and allows. */
export const describing = (command: Command): Command =>
  command
    .requiredOption('--name <text>', 'what it is for')
    .option('--scopes <list>', 'some of read,write,bulk; all of them unless given')
    .option('--expires <time>', 'such as 2027-01-31T00:00:00Z; in a year unless given');

/** Adds the options that say how a secret is replaced. */
export const replacing = (command: Command): Command =>
  command
    .option('--overlap <seconds>', 'how long the old one stays good; a day unless given')
    .option('--expires <time>', 'of the new one; in a year unless given');

/** The entries of a list with commas between; an empty text is an empty list. */
export const listOf = (text: string): string[] => (text === '' ? [] : text.split(',').map((entry) => entry.trim()));

/** The body that makes a credential. */
export const newCredential = ({ name, scopes, expires }: CreateOptions): JsonObject => ({
  name,
  ...(scopes === undefined ? {} : { scopes: listOf(scopes) }),
  ...(expires === undefined ? {} : { expiresAt: expires }),
});

/** The body that replaces a secret. */
export const rotation = ({ overlap, expires }: RotateOptions): JsonObject => ({
  ...(overlap === undefined ? {} : { overlapSeconds: /^\d{1,9}$/.test(overlap) ? Number(overlap) : overlap }),
  ...(expires === undefined ? {} : { expiresAt: expires }),
});

/** Shows what has a secret that was made now. Only the secret goes where results go unless all of it is wanted as JSON. */
export function showSecret<T extends { readonly secret: string }>(
  surroundings: Surroundings,
  options: AdminOptions,
  work: (administration: Administration) => Promise<T>,
): Promise<void> {
  const { terminal } = surroundings;
  return administer(surroundings, options, async (administration) => {
    const issued = await work(administration);
    const { secret, ...shown } = issued;
    if (!options.json) terminal.remark(`${sheet(shown)}The secret is shown this once; keep it:\n`);
    writeResult(terminal, options, issued, () => `${secret}\n`);
  });
}
