import type { Command } from 'commander';
import { withJson, writeResult, type ResultOptions, type Surroundings } from './command.js';
import { Failed } from './refusals.js';
import { table } from './terminal.js';

interface MoveOptions extends ResultOptions {
  readonly from: string;
}

/** Adds `rollcall migrate`, `rollcall check` and `rollcall move`. */
export function addDatabaseCommands(program: Command, surroundings: Surroundings): void {
  const { terminal } = surroundings;
  withJson(program.command('migrate'))
    .description('apply the pending migrations; processes that do so together take turns')
    .action(async (options: ResultOptions) => {
      const config = await surroundings.readConfig();
      const { applyMigrations } = await import('./database-state.js');
      const applied = await surroundings.withDatabase(config, applyMigrations);
      const text = applied.length === 0 ? 'There is nothing to apply.\n' : `${applied.join('\n')}\n`;
      writeResult(terminal, options, { applied }, () => text);
    });

  withJson(program.command('check'))
    .description('check the configuration and the database, and change nothing')
    .action(async (options: ResultOptions) => {
      const { check } = await import('./check.js');
      const findings = await check(surroundings);
      const rows = findings.map(({ ok, ...finding }) => ({ ...finding, state: ok ? 'ok' : 'FAILED' }));
      const ok = findings.every((finding) => finding.ok);
      writeResult(terminal, options, { ok, findings }, () => table(rows, ['check', 'state', 'detail']));
      if (!ok) throw new Failed();
    });
  addMoveCommand(program, surroundings);
}

/** Adds `rollcall move`. */
function addMoveCommand(program: Command, surroundings: Surroundings): void {
  withJson(program.command('move'))
    .description('copy everything from an embedded database to the empty PostgreSQL at DATABASE_URL')
    .requiredOption('--from <directory>', 'the DATA_DIR of the embedded database; no server may have it open')
    .action(async ({ from, ...options }: MoveOptions) => {
      const { moveFrom } = await import('./move.js');
      const tables = await moveFrom(from, surroundings);
      const text = (): string => `${table(tables, ['name', 'rows'])}Everything is at DATABASE_URL. ${advice(from)}\n`;
      writeResult(surroundings.terminal, options, { from, tables }, text);
    });
}

const advice = (from: string): string =>
  `Start the server with it, and keep ${from} as a backup: do not serve from it again.`;
