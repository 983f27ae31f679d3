import type { Command } from 'commander';
import type { TenantDto } from '../admin/tenants.dto.js';
import type { IssuedTokenDto } from '../admin/tokens.dto.js';
import { defaultSettings, type JsonObject, type JsonValue } from '../scim/index.js';
import { administer, administering, all, type AdminOptions } from './administer.js';
import type { Tenants } from './administration.js';
import { writeResult, type Surroundings } from './command.js';
import { UsageError } from './refusals.js';
import { sheet, table } from './terminal.js';

/** Adds `rollcall tenant …`. */
export function addTenantCommands(program: Command, surroundings: Surroundings): void {
  const tenant = program.command('tenant').description('customers, each with a directory of its own');
  addCreation(tenant, surroundings);
  addReadingCommands(tenant, surroundings);
  addChangingCommands(tenant, surroundings);
  addDeletion(tenant, surroundings);
}

interface CreateOptions extends AdminOptions {
  readonly token?: string;
}

function addCreation(tenant: Command, surroundings: Surroundings): void {
  administering(tenant.command('create'))
    .description('create a tenant, and a token for it if you name one')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .argument('[setting=value...]', 'settings that differ from the defaults')
    .option('--token <name>', 'also create a token, called so; its secret is shown this once')
    .action((name: string, given: string[], { token, ...options }: CreateOptions) => {
      const settings = readSettings(given);
      return token === undefined
        ? show(surroundings, options, ({ create }) => create({ name, settings }))
        : createConnected(surroundings, options, { name, settings, token });
    });
}

/** A tenant to be, with a token. */
interface Connected {
  readonly name: string;
  readonly settings: JsonObject;
  /** What the token is called. */
  readonly token: string;
}

/** Creates a tenant with a token, and shows what its client needs: the address and the secret. */
function createConnected(
  surroundings: Surroundings,
  options: AdminOptions,
  { name, settings, token }: Connected,
): Promise<void> {
  const { terminal } = surroundings;
  return administer(surroundings, options, async ({ tenants, tokens }) => {
    const created = await tenants.create({ name, settings });
    let issued: IssuedTokenDto;
    try {
      issued = await tokens.create(name, { name: token });
    } catch (error) {
      terminal.remark(`The tenant ${name} is created, but it has no token: rollcall token create makes one.\n`);
      throw error;
    }
    if (!options.json) terminal.remark('The secret is shown this once; keep it.\n');
    const text = (): string => sheet({ 'SCIM base URL': created.scimUrl, 'Bearer token': issued.secret });
    writeResult(terminal, options, { ...created, token: issued }, text);
  });
}

function addReadingCommands(tenant: Command, surroundings: Surroundings): void {
  const { terminal } = surroundings;
  administering(tenant.command('list'))
    .description('list tenants')
    .option('--prefix <text>', 'only those whose names start with this')
    .action(({ prefix, ...options }: AdminOptions & { prefix?: string }) =>
      administer(surroundings, options, async ({ tenants }) => {
        const rows = await all(tenants.list, prefix === undefined ? {} : { prefix });
        writeResult(terminal, options, rows, () => table(rows, ['name', 'state', 'createdAt', 'scimUrl']));
      }),
    );

  administering(tenant.command('show'))
    .description('show a tenant and its settings')
    .argument('<name>')
    .action((name: string, options: AdminOptions) => show(surroundings, options, ({ read }) => read(name)));

  administering(tenant.command('settings'))
    .description("show a tenant's settings")
    .argument('<name>')
    .action((name: string, options: AdminOptions) =>
      administer(surroundings, options, async ({ tenants }) =>
        writeResult(terminal, options, await tenants.readSettings(name), sheet),
      ),
    );
}

function addChangingCommands(tenant: Command, surroundings: Surroundings): void {
  administering(tenant.command('set'))
    .description(`change settings: ${Object.keys(defaultSettings).join(', ')}`)
    .argument('<name>')
    .argument('<setting=value...>', "such as profile=strict; null for the server's value")
    .action((name: string, given: string[], options: AdminOptions) => {
      const settings = readSettings(given);
      return show(surroundings, options, async ({ changeSettings, read }) => {
        await changeSettings(name, settings);
        return read(name);
      });
    });

  administering(tenant.command('rename'))
    .description('rename a tenant; addresses with the old name are 404 from then on')
    .argument('<name>')
    .argument('<new-name>')
    .action((name: string, newName: string, options: AdminOptions) =>
      show(surroundings, options, ({ change }) => change(name, { name: newName })),
    );

  administering(tenant.command('suspend'))
    .description('answer 503 to a tenant, so that identity providers try again later')
    .argument('<name>')
    .action((name: string, options: AdminOptions) => show(surroundings, options, ({ suspend }) => suspend(name)));

  administering(tenant.command('resume'))
    .description('end a suspension')
    .argument('<name>')
    .action((name: string, options: AdminOptions) => show(surroundings, options, ({ resume }) => resume(name)));
}

function addDeletion(tenant: Command, surroundings: Surroundings): void {
  const { terminal } = surroundings;
  administering(tenant.command('delete'))
    .description('erase a tenant and everything it has')
    .argument('<name>')
    .option('--confirm <name>', 'the name again, to say that it is meant; asked for at a terminal')
    .action(async (name: string, { confirm, ...options }: AdminOptions & { confirm?: string }) => {
      const question = `This erases everything that the tenant has. Type "${name}" to go on: `;
      if ((confirm ?? (await terminal.ask?.(question))) !== name) {
        throw new UsageError(`Nothing was erased. To erase everything that the tenant has, say --confirm ${name}.`);
      }
      await administer(surroundings, options, ({ tenants }) => tenants.erase(name));
      writeResult(terminal, options, { name, erased: true }, () => `The tenant ${name} is erased.\n`);
    });
}

/** Shows the tenant that a command is about, as it is when the command is done. */
function show(
  surroundings: Surroundings,
  options: AdminOptions,
  work: (tenants: Tenants) => Promise<TenantDto>,
): Promise<void> {
  return administer(surroundings, options, async ({ tenants }) =>
    writeResult<TenantDto>(surroundings.terminal, options, await work(tenants), sheet),
  );
}

/** Reads `setting=value` arguments. What is no JSON is a text. @throws UsageError */
function readSettings(given: readonly string[]): JsonObject {
  const settings = new Map<string, JsonValue>();
  for (const argument of given) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(argument) ?? [];
    if (name === undefined || text === undefined)
      throw new UsageError(`"${argument}" is not of the form setting=value.`);
    if (settings.has(name)) throw new UsageError(`${name} is given twice.`);
    settings.set(name, /^(?:true|false|null|-?\d{1,15})$/.test(text) ? (JSON.parse(text) as JsonValue) : text);
  }
  return Object.fromEntries(settings);
}
