import type { Command } from 'commander';
import { SettingsDto } from '../admin/settings.dto.js';
import { NewTenantDto, TenantChangesDto, tenantDto, type TenantDto } from '../admin/tenants.dto.js';
import { checked } from '../admin/validation.js';
import { defaultSettings, type JsonObject, type JsonValue } from '../scim/index.js';
import type { TenantRecord } from '../tenants/tenant.js';
import {
  all,
  UsageError,
  useServices,
  withJson,
  writeResult,
  type ResultOptions,
  type Surroundings,
} from './command.js';
import type { Services } from './services.js';
import { sheet, table } from './terminal.js';

/** Adds `rollcall tenant …`. */
export function addTenantCommands(program: Command, surroundings: Surroundings): void {
  const tenant = program.command('tenant').description('customers, each with a directory of its own');
  addReadingCommands(tenant, surroundings);
  addChangingCommands(tenant, surroundings);
}

function addReadingCommands(tenant: Command, surroundings: Surroundings): void {
  const { terminal } = surroundings;
  withJson(tenant.command('list'))
    .description('list tenants')
    .option('--prefix <text>', 'only those whose names start with this')
    .action(({ prefix, ...options }: ResultOptions & { prefix?: string }) =>
      useServices(surroundings, async ({ tenants, config }) => {
        const found = await all(
          (page) => tenants.list(page, prefix),
          ({ name }) => name,
        );
        const rows = found.map((record) => tenantDto(record, config.publicUrl));
        writeResult(terminal, options, rows, () => table(rows, ['name', 'state', 'createdAt', 'scimUrl']));
      }),
    );

  withJson(tenant.command('show'))
    .description('show a tenant and its settings')
    .argument('<name>')
    .action((name: string, options: ResultOptions) => show(surroundings, options, ({ tenants }) => tenants.get(name)));
}

function addChangingCommands(tenant: Command, surroundings: Surroundings): void {
  withJson(tenant.command('create'))
    .description('create a tenant')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .argument('[setting=value...]', 'settings that differ from the standard')
    .action((name: string, settings: string[], options: ResultOptions) => {
      const given = checked(NewTenantDto, { name, settings: readSettings(settings) });
      return show(surroundings, options, ({ tenants, author }) => tenants.create(author, given.name, given.settings));
    });

  withJson(tenant.command('set'))
    .description(`change settings: ${Object.keys(defaultSettings).join(', ')}`)
    .argument('<name>')
    .argument('<setting=value...>', 'such as profile=strict; null for what the server gives')
    .action((name: string, settings: string[], options: ResultOptions) => {
      const given = checked(SettingsDto, readSettings(settings));
      return show(surroundings, options, ({ tenants, author }) => tenants.change(author, name, { settings: given }));
    });

  withJson(tenant.command('rename'))
    .description('rename a tenant; addresses with the old name are 404 from then on')
    .argument('<name>')
    .argument('<new-name>')
    .action((name: string, newName: string, options: ResultOptions) => {
      const changes = checked(TenantChangesDto, { name: newName });
      return show(surroundings, options, ({ tenants, author }) => tenants.change(author, name, changes));
    });

  withJson(tenant.command('suspend'))
    .description('answer 503 to a tenant, so that identity providers try again later')
    .argument('<name>')
    .action((name: string, options: ResultOptions) =>
      show(surroundings, options, ({ tenants, author }) => tenants.suspend(author, name)),
    );

  withJson(tenant.command('resume'))
    .description('end a suspension')
    .argument('<name>')
    .action((name: string, options: ResultOptions) =>
      show(surroundings, options, ({ tenants, author }) => tenants.resume(author, name)),
    );

  addDeletion(tenant, surroundings);
}

function addDeletion(tenant: Command, surroundings: Surroundings): void {
  const { terminal } = surroundings;
  withJson(tenant.command('delete'))
    .description('erase a tenant and everything it has')
    .argument('<name>')
    .option('--confirm <name>', 'the name again, to say that it is meant; asked for at a terminal')
    .action(async (name: string, { confirm, ...options }: ResultOptions & { confirm?: string }) => {
      const question = `This erases everything that the tenant has. Type "${name}" to go on: `;
      if ((confirm ?? (await terminal.ask?.(question))) !== name) {
        throw new UsageError(`Nothing was erased. To erase everything that the tenant has, say --confirm ${name}.`);
      }
      await useServices(surroundings, ({ tenants, author }) => tenants.erase(author, name));
      writeResult(terminal, options, { name, erased: true }, () => `The tenant ${name} is erased.\n`);
    });
}

/** Shows the tenant that a command is about, as it is when the command is done. */
function show(
  surroundings: Surroundings,
  options: ResultOptions,
  work: (services: Services) => Promise<TenantRecord>,
): Promise<void> {
  return useServices(surroundings, async (services) => {
    const dto = tenantDto(await work(services), services.config.publicUrl);
    writeResult<TenantDto>(surroundings.terminal, options, dto, sheet);
  });
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
