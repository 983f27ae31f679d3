import { Command } from 'commander';
import { version } from '../ops/version.js';
import type { Surroundings } from './command.js';
import { addDatabaseCommands } from './database-commands.js';
import { addClientCommands } from './client-commands.js';
import { endOf, exitCode } from './exit.js';
import { addIssuerCommands } from './issuer-commands.js';
import { addTenantCommands } from './tenant-commands.js';
import { addTimeLineCommands } from './time-line-commands.js';
import { addTokenCommands } from './token-commands.js';

/**
 * Runs one command.
 * @param argv the arguments, without the program's name
 * @param serve starts the server, which goes on when this has returned
 * @returns the exit code: 0 when all went well, 1 for a failure, 2 for a command that was not understood
 */
export async function run(
  argv: readonly string[],
  surroundings: Surroundings,
  serve: () => Promise<unknown>,
): Promise<number> {
  try {
    await program(surroundings, serve).parseAsync(argv, { from: 'user' });
    return exitCode.ok;
  } catch (error) {
    const { code, reason } = await endOf(error);
    if (reason !== undefined) surroundings.terminal.remark(`rollcall: ${reason}\n`);
    return code;
  }
}

function program(surroundings: Surroundings, serve: () => Promise<unknown>): Command {
  const { write, remark } = surroundings.terminal;
  const command = new Command('rollcall')
    .description(
      'Administers Rollcall, a SCIM 2.0 server: on its database, which the environment names (see README.md), or through ' +
        'a running server.',
    )
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: remark })
    .showHelpAfterError('(add --help for what is known)');
  command
    .command('serve')
    .description('start the server')
    .action(async () => {
      await serve();
    });
  addTenantCommands(command, surroundings);
  addTokenCommands(command, surroundings);
  addClientCommands(command, surroundings);
  addIssuerCommands(command, surroundings);
  addTimeLineCommands(command, surroundings);
  addDatabaseCommands(command, surroundings);
  return command;
}
