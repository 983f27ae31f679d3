import type { Command } from 'commander';
import type { IssuerDto } from '../admin/issuers.dto.js';
import type { JsonObject, JsonValue } from '../scim/index.js';
import { administer, administering, all, type AdminOptions } from './administer.js';
import type { OutsideIssuers } from './administration.js';
import { writeResult, type Surroundings } from './command.js';
import { listOf } from './credentials.js';
import { UsageError } from './refusals.js';
import { sheet, table } from './terminal.js';

interface DefinitionOptions extends AdminOptions {
  readonly issuer?: string;
  readonly audience?: string;
  readonly jwksUri?: string;
  readonly algorithms?: string;
  readonly scopes?: string;
  readonly scopeClaim?: string;
  readonly scopeValue?: readonly string[];
  readonly require?: readonly string[];
}

/** Adds `rollcall issuer …`. */
export function addIssuerCommands(program: Command, surroundings: Surroundings): void {
  const issuer = program.command('issuer').description('the identity providers whose access tokens a tenant accepts');
  addDefiningCommands(issuer, surroundings);
  const { terminal } = surroundings;

  administering(issuer.command('list'))
    .description('list issuers')
    .argument('<tenant>')
    .action((tenant: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ issuers }) => {
        const rows = await all((query) => issuers.list(tenant, query));
        writeResult(terminal, options, rows, () => table(rows, ['id', 'issuer', 'audience', 'scopes', 'createdAt']));
      }),
    );

  administering(issuer.command('show'))
    .description('show an issuer')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: AdminOptions) =>
      show(surroundings, options, ({ read }) => read(tenant, id)),
    );

  administering(issuer.command('delete'))
    .description('stop accepting the tokens of an issuer')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ issuers }) => {
        await issuers.remove(tenant, id);
        writeResult(terminal, options, { id, deleted: true }, () => `The issuer ${id} is deleted.\n`);
      }),
    );
}

function addDefiningCommands(issuer: Command, surroundings: Surroundings): void {
  defining(required(administering(issuer.command('create'))))
    .description('accept the tokens of an issuer')
    .argument('<tenant>')
    .action((tenant: string, options: DefinitionOptions) => {
      const definition = definitionOf(options);
      return show(surroundings, options, ({ create }) => create(tenant, definition));
    });

  defining(required(administering(issuer.command('replace'))))
    .description('define an issuer again; what is left out is as in a new one')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: DefinitionOptions) => {
      const definition = definitionOf(options);
      return show(surroundings, options, ({ replace }) => replace(tenant, id, definition));
    });

  const optional = administering(issuer.command('update'))
    .option('--issuer <url>', 'the iss of its tokens, exactly')
    .option('--audience <text>', 'the aud that its tokens must have');
  defining(optional)
    .description('change an issuer; what is left out stays')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: DefinitionOptions) => {
      const changes = definitionOf(options);
      if (Object.keys(changes).length === 0) throw new UsageError('Say what is to change: see --help.');
      return show(surroundings, options, async ({ read, replace }) => {
        const { id: _id, createdAt: _createdAt, ...before } = await read(tenant, id);
        return replace(tenant, id, { ...withoutAbsent(before), ...changes });
      });
    });
}

const required = (command: Command): Command =>
  command
    .requiredOption('--issuer <url>', 'the iss of its tokens, exactly')
    .requiredOption('--audience <text>', 'the aud that its tokens must have');

/** Adds the options that every definition may have. */
const defining = (command: Command): Command =>
  command
    .option('--jwks-uri <url>', "where its keys are; where the issuer's metadata says unless given")
    .option('--algorithms <list>', 'of its signatures; RS256 unless given')
    .option('--scopes <list>', 'what every token of it allows: some of read,write,bulk')
    .option('--scope-claim <name>', 'the claim that says what a token allows: roles of Entra ID, scp of Okta')
    .option(
      '--scope-value <value=scopes>',
      'what a value of that claim allows, such as Scim.ReadWrite=read,write',
      collect,
    )
    .option('--require <claim=values>', 'a claim that a token must have, with one of these values', collect);

/** Takes an option that may be given several times. */
const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The body that the options stand for: only what was given. @throws UsageError */
function definitionOf(options: DefinitionOptions): JsonObject {
  const { issuer, audience, jwksUri, algorithms, scopes, scopeClaim, scopeValue, require } = options;
  const given = {
    ...{ issuer, audience, jwksUri, scopeClaim },
    algorithms: algorithms === undefined ? undefined : listOf(algorithms),
    scopes: scopes === undefined ? undefined : listOf(scopes),
    scopeValues: scopeValue === undefined ? undefined : listsByName('--scope-value', scopeValue),
    requiredClaims: require === undefined ? undefined : listsByName('--require', require),
  };
  return withoutAbsent(given);
}

/** The members that are there. */
const withoutAbsent = (object: object): JsonObject =>
  Object.fromEntries(
    Object.entries(object).flatMap(([name, value]: [string, JsonValue | undefined]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );

/** Reads `name=value,value` arguments. A name may have an equals sign, a value may not. @throws UsageError */
function listsByName(option: string, given: readonly string[]): Record<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const argument of given) {
    const at = argument.lastIndexOf('=');
    if (at < 1) throw new UsageError(`${option} ${argument} is not of the form name=value,value.`);
    lists.set(argument.slice(0, at), listOf(argument.slice(at + 1)));
  }
  return Object.fromEntries(lists);
}

/** Shows the issuer that a command is about. */
function show(
  surroundings: Surroundings,
  options: AdminOptions,
  work: (issuers: OutsideIssuers) => Promise<IssuerDto>,
): Promise<void> {
  return administer(surroundings, options, async ({ issuers }) =>
    writeResult<IssuerDto>(surroundings.terminal, options, await work(issuers), sheet),
  );
}
