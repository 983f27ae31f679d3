import type { Command } from 'commander';
import { administer, administering, all, type AdminOptions } from './administer.js';
import { writeResult, type Surroundings } from './command.js';
import {
  describing,
  newCredential,
  replacing,
  rotation,
  showSecret,
  type CreateOptions,
  type RotateOptions,
} from './credentials.js';
import { table } from './terminal.js';

const columns = ['id', 'name', 'prefix', 'scopes', 'expiresAt', 'revokedAt', 'lastUsedAt'] as const;

/** Adds `rollcall token …`. */
export function addTokenCommands(program: Command, surroundings: Surroundings): void {
  const token = program.command('token').description("the bearer tokens of a tenant's clients");
  const { terminal } = surroundings;

  describing(administering(token.command('create')))
    .description('create a token; its secret is shown this once')
    .argument('<tenant>')
    .action((tenant: string, options: CreateOptions) =>
      showSecret(surroundings, options, ({ tokens }) => tokens.create(tenant, newCredential(options))),
    );

  replacing(administering(token.command('rotate')))
    .description('replace a token; the old one ends after the overlap')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: RotateOptions) =>
      showSecret(surroundings, options, ({ tokens }) => tokens.rotate(tenant, id, rotation(options))),
    );

  administering(token.command('list'))
    .description('list tokens, also those that have ended')
    .argument('<tenant>')
    .action((tenant: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ tokens }) => {
        const rows = await all((query) => tokens.list(tenant, query));
        writeResult(terminal, options, rows, () => table(rows, columns));
      }),
    );

  administering(token.command('revoke'))
    .description('end a token; a server that remembers it refuses it within five seconds')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ tokens }) => {
        await tokens.revoke(tenant, id);
        writeResult(terminal, options, { id, revoked: true }, () => `The token ${id} has ended.\n`);
      }),
    );
}
