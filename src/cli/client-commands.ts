import type { Command } from 'commander';
import type { ClientDto } from '../admin/oauth-clients.dto.js';
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
import { sheet, table } from './terminal.js';

/** Adds `rollcall client …`. */
export function addClientCommands(program: Command, surroundings: Surroundings): void {
  const client = program.command('client').description('the OAuth clients of a tenant, for access tokens');
  addIssuingCommands(client, surroundings);
  const { terminal } = surroundings;

  administering(client.command('list'))
    .description('list clients')
    .argument('<tenant>')
    .action((tenant: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ clients }) => {
        const rows = await all((query) => clients.list(tenant, query));
        writeResult(terminal, options, rows, () => table(rows.map(row), columns));
      }),
    );

  administering(client.command('show'))
    .description('show a client and when its secrets expire')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ clients }) =>
        writeResult(terminal, options, await clients.read(tenant, id), (shown) => sheet(row(shown))),
      ),
    );

  administering(client.command('revoke'))
    .description('end a client, its secrets and its tokens')
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ clients }) => {
        await clients.revoke(tenant, id);
        writeResult(terminal, options, { id, revoked: true }, () => `The client ${id} has ended.\n`);
      }),
    );
}

function addIssuingCommands(client: Command, surroundings: Surroundings): void {
  describing(administering(client.command('create')))
    .description('create a client; its id is the client_id, and its secret is shown this once')
    .argument('<tenant>')
    .action((tenant: string, options: CreateOptions) =>
      showSecret(surroundings, options, async ({ clients }) =>
        withoutSecrets(options, await clients.create(tenant, newCredential(options))),
      ),
    );

  replacing(administering(client.command('rotate')))
    .description("replace a client's secret; the old one ends after the overlap")
    .argument('<tenant>')
    .argument('<id>')
    .action((tenant: string, id: string, options: RotateOptions) =>
      showSecret(surroundings, options, async ({ clients }) =>
        withoutSecrets(options, await clients.rotate(tenant, id, rotation(options))),
      ),
    );
}

/** A client as people see it: of its secrets, how each starts and when it expires. */
const row = ({ secrets, ...client }: ClientDto) => ({
  ...client,
  secrets: secrets.map(({ prefix, expiresAt }) => `${prefix}… until ${expiresAt}`),
});

const columns = ['id', 'name', 'scopes', 'secrets', 'createdAt', 'lastUsedAt'] as const;

/** For people, what is known of the secrets in a form that they can read. */
const withoutSecrets = <T extends ClientDto & { readonly secret: string }>({ json }: AdminOptions, client: T) =>
  json ? client : { ...row(client), secret: client.secret };
