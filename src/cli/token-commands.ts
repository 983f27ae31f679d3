import type { Command } from 'commander';
import {
  instantOf,
  issuedTokenDto,
  NewTokenDto,
  overlap,
  tokenDto,
  TokenRotationDto,
  type IssuedTokenDto,
} from '../admin/tokens.dto.js';
import { checked } from '../admin/validation.js';
import type { IssuedToken } from '../auth/tokens.service.js';
import { allScopes } from '../http/scope.js';
import { all, useServices, withJson, writeResult, type ResultOptions, type Surroundings } from './command.js';
import type { Services } from './services.js';
import { sheet, table } from './terminal.js';

const columns = ['id', 'name', 'prefix', 'scopes', 'expiresAt', 'revokedAt', 'lastUsedAt'] as const;

interface CreateOptions extends ResultOptions {
  readonly name: string;
  readonly scopes?: string;
  readonly expires?: string;
}

interface RotateOptions extends ResultOptions {
  readonly overlap: string;
  readonly expires?: string;
}

/** Adds `rollcall token …`. */
export function addTokenCommands(program: Command, surroundings: Surroundings): void {
  const token = program.command('token').description("the bearer tokens of a tenant's clients");
  addIssuingCommands(token, surroundings);
  const { terminal } = surroundings;

  withJson(token.command('list'))
    .description('list tokens, those that have ended among them')
    .argument('<tenant>')
    .action((tenant: string, options: ResultOptions) =>
      useServices(surroundings, async ({ tenants, tokens }) => {
        const owner = await tenants.get(tenant);
        const found = await all(
          (page) => tokens.list(owner, page),
          ({ id }) => id,
        );
        const rows = found.map(tokenDto);
        writeResult(terminal, options, rows, () => table(rows, columns));
      }),
    );

  withJson(token.command('revoke'))
    .description('end a token; a server that remembers it refuses it within five seconds')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: ResultOptions) =>
      useServices(surroundings, async ({ tenants, tokens, author }) => {
        await tokens.revoke(author, await tenants.get(tenant), id);
        writeResult(terminal, options, { id, revoked: true }, () => `The token ${id} has ended.\n`);
      }),
    );
}

function addIssuingCommands(token: Command, surroundings: Surroundings): void {
  withJson(token.command('create'))
    .description('create a token; its secret is shown this once')
    .argument('<tenant>')
    .requiredOption('--name <text>', 'what it is for')
    .option('--scopes <list>', `some of ${allScopes.join(',')}; all of them unless given`)
    .option('--expires <time>', 'such as 2027-01-31T00:00:00Z; in a year unless given')
    .action((tenant: string, { name, scopes, expires, ...options }: CreateOptions) => {
      const given = checked(NewTokenDto, {
        name,
        ...(scopes === undefined ? {} : { scopes: scopes.split(',') }),
        ...(expires === undefined ? {} : { expiresAt: expires }),
      });
      return issue(surroundings, options, async ({ tenants, tokens, author }) =>
        tokens.issue(author, await tenants.get(tenant), { ...given, expiresAt: instantOf(given.expiresAt) }),
      );
    });

  withJson(token.command('rotate'))
    .description('replace a token; the old one ends after the overlap')
    .argument('<tenant>')
    .argument('<id>')
    .option('--overlap <seconds>', 'how long the old one stays good', String(overlap.standard))
    .option('--expires <time>', 'of the new one; in a year unless given')
    .action((tenant: string, id: string, { overlap: seconds, expires, ...options }: RotateOptions) => {
      const { overlapSeconds = overlap.standard, expiresAt } = checked(TokenRotationDto, {
        overlapSeconds: /^\d{1,9}$/.test(seconds) ? Number(seconds) : seconds,
        ...(expires === undefined ? {} : { expiresAt: expires }),
      });
      return issue(surroundings, options, async ({ tenants, tokens, author }) =>
        tokens.rotate(author, await tenants.get(tenant), id, { overlapSeconds, expiresAt: instantOf(expiresAt) }),
      );
    });
}

/** Shows a token that is made now. Only the secret goes where results go unless all of it is wanted as JSON. */
function issue(
  { terminal, ...surroundings }: Surroundings,
  options: ResultOptions,
  work: (services: Services) => Promise<IssuedToken>,
): Promise<void> {
  return useServices({ terminal, ...surroundings }, async (services) => {
    const { secret, ...dto } = issuedTokenDto(await work(services));
    if (!options.json) terminal.remark(`${sheet(dto)}The secret is shown this once; keep it:\n`);
    writeResult<IssuedTokenDto>(terminal, options, { ...dto, secret }, () => `${secret}\n`);
  });
}
