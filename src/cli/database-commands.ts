import type { Command } from 'commander';
import { ConfigError, type Config } from '../config.js';
import { NewerDatabase } from '../persistence/schema-version.js';
import { reasonOf } from './errors.js';
import { Failed, withJson, writeResult, type ResultOptions, type Surroundings } from './command.js';
import { applyMigrations, inspect, type DatabaseState } from './database-state.js';
import { addMoveCommand } from './move-command.js';
import { table } from './terminal.js';

/** What was looked at, and whether it is as it should be. */
interface Finding {
  readonly check: 'configuration' | 'database' | 'migrations';
  readonly ok: boolean;
  readonly detail: string;
}

/** Adds `rollcall migrate`, `rollcall check` and `rollcall move`. */
export function addDatabaseCommands(program: Command, surroundings: Surroundings): void {
  const { terminal } = surroundings;
  withJson(program.command('migrate'))
    .description('apply the pending migrations; processes that do so together take turns')
    .action(async (options: ResultOptions) => {
      const applied = await surroundings.withDatabase(surroundings.readConfig(), applyMigrations);
      const text = applied.length === 0 ? 'There is nothing to apply.\n' : `${applied.join('\n')}\n`;
      writeResult(terminal, options, { applied }, () => text);
    });

  withJson(program.command('check'))
    .description('check the configuration and the database, and change nothing')
    .action(async (options: ResultOptions) => {
      const findings = await check(surroundings);
      const rows = findings.map(({ ok, ...finding }) => ({ ...finding, state: ok ? 'ok' : 'FAILED' }));
      const ok = findings.every((finding) => finding.ok);
      writeResult(terminal, options, { ok, findings }, () => table(rows, ['check', 'state', 'detail']));
      if (!ok) throw new Failed();
    });
  addMoveCommand(program, surroundings);
}

/** Looks at one thing after the other, up to one without which the next cannot be looked at. */
async function check(surroundings: Surroundings): Promise<Finding[]> {
  let config: Config;
  try {
    config = surroundings.readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ check: 'configuration', ok: false, detail: error.message }];
  }
  const configuration: Finding = { check: 'configuration', ok: true, detail: `public URL ${config.publicUrl}` };
  try {
    const state = await surroundings.withDatabase(config, inspect, { mustExist: true });
    return [configuration, ...findingsOf(config, state)];
  } catch (error) {
    return [configuration, { check: 'database', ok: false, detail: reasonOf(error) }];
  }
}

function findingsOf(config: Config, { version, isSupported, pending, unknown }: DatabaseState): Finding[] {
  const where = config.databaseUrl === undefined ? `embedded in ${config.dataDir}` : new URL(config.databaseUrl).host;
  const advice = isSupported ? '' : '; 15 or newer is needed';
  const apply = unknown.length === 0 ? '; apply them by rollcall migrate or a start' : '';
  const details = [
    ...(pending.length > 0 ? [`pending: ${pending.join(', ')}${apply}`] : []),
    ...(unknown.length > 0 ? [new NewerDatabase(unknown).message] : []),
  ];
  return [
    { check: 'database', ok: isSupported, detail: `PostgreSQL ${version}, ${where}${advice}` },
    { check: 'migrations', ok: pending.length + unknown.length === 0, detail: details.join('; ') || 'all are applied' },
  ];
}
