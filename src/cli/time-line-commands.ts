import { InvalidArgumentError, type Command } from 'commander';
import { administer, administering, all, pages, type AdminOptions } from './administer.js';
import type { Query } from './administration.js';
import { writeResult, type Surroundings } from './command.js';
import { Failed } from './refusals.js';
import { sheet, table, type Terminal } from './terminal.js';

const time = { from: 'the first instant, such as 2027-01-31T00:00:00Z', to: 'the last instant' } as const;

/** What the audit trail is filtered by: the query parameters of the admin API, each with a line of help. */
export const auditOptions = {
  ...time,
  actor: 'who did it, such as admin, cli, or token: and its id',
  requestId: 'in which request',
  operation: 'such as create, patch, delete, suspend, rotate',
  resourceType: 'User, Group, Tenant, Token, Client or Issuer',
  resourceId: 'the id of what was changed',
} as const satisfies Readonly<Record<string, string>>;

/** What the request log is filtered by: the query parameters of the admin API, each with a line of help. */
export const requestOptions = {
  ...time,
  failed: 'true for those that failed, false for those that did not',
  status: 'a status such as 409, or a class of them such as 4xx',
  method: 'the HTTP method, such as PATCH',
  scimType: 'the scimType of the error, such as uniqueness',
  requestId: 'the X-Request-Id of the request',
} as const satisfies Readonly<Record<string, string>>;

interface ListOptions extends AdminOptions {
  readonly limit: number;
}

function limitOf(text: string): number {
  if (text === 'all') return Infinity;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, or all.');
  return Number(text);
}

/** Adds `rollcall audit …` and `rollcall request …`. */
export function addTimeLineCommands(program: Command, surroundings: Surroundings): void {
  const audit = program.command('audit').description('the audit trail: every change, and who made it');
  listing(audit, auditOptions)
    .description('list changes of a tenant, or, without one, which tenants came and went; the newest first')
    .argument('[tenant]')
    .action((tenant: string | undefined, options: ListOptions) =>
      administer(surroundings, options, (administration) =>
        write(
          surroundings.terminal,
          options,
          pages((query) => administration.audit(tenant, query), queryOf(options, auditOptions), options.limit),
          auditColumns,
        ),
      ),
    );

  const request = program.command('request').description('the request log: what clients sent, and what became of it');
  listing(request, requestOptions)
    .description("list a tenant's requests, the newest first")
    .argument('<tenant>')
    .action((tenant: string, options: ListOptions) =>
      administer(surroundings, options, (administration) =>
        write(
          surroundings.terminal,
          options,
          pages((query) => administration.requests(tenant, query), queryOf(options, requestOptions), options.limit),
          requestColumns,
        ),
      ),
    );

  administering(request.command('show'))
    .description('show a request, what was sent and what was answered; values are hidden')
    .argument('<tenant>')
    .argument('<request-id>', 'its X-Request-Id')
    .action((tenant: string, requestId: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ requests }) => {
        const found = await all((query) => requests(tenant, query), { requestId });
        if (found.length === 0) return nothing(surroundings.terminal, requestId);
        // A client may send one id with several requests.
        writeResult(surroundings.terminal, options, found, () => found.map(sheet).join('\n'));
      }),
    );
}

function nothing({ remark }: Terminal, requestId: string): never {
  remark(`rollcall: The request log has no request with the id "${requestId}".\n`);
  throw new Failed();
}

/** Adds the command `list` with an option for each filter. */
function listing(parent: Command, filters: Readonly<Record<string, string>>): Command {
  const command = administering(parent.command('list'));
  command.option('--limit <number>', 'how many at most, or all; 100 unless given', limitOf, 100);
  for (const [name, description] of Object.entries(filters)) command.option(`--${dashed(name)} <text>`, description);
  return command;
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The query parameters that were given. */
const queryOf = (options: object, filters: Readonly<Record<string, string>>): Query =>
  Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(filters, name)));

const auditColumns = ['at', 'actor', 'operation', 'resourceType', 'resourceId', 'changed', 'requestId'] as const;
const requestColumns = ['at', 'status', 'method', 'path', 'scimType', 'detail', 'actor', 'requestId'] as const;

/** Writes a list: as JSON lines, a page as it comes, or as a table. */
async function write<T extends object>(
  terminal: Terminal,
  { json }: ListOptions,
  read: AsyncIterable<T[]>,
  columns: readonly (keyof T & string)[],
): Promise<void> {
  const rows: T[] = [];
  for await (const page of read) {
    if (json) terminal.write(page.map((item) => `${JSON.stringify(item)}\n`).join(''));
    else rows.push(...page);
  }
  if (!json) terminal.write(table(rows, columns));
}
