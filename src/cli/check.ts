import { ConfigError, type Config } from '../config.js';
import { NewerDatabase } from '../persistence/schema-version.js';
import type { Surroundings } from './command.js';
import { inspect, type DatabaseState } from './database-state.js';
import { reasonOf } from './errors.js';

/** What was looked at, and whether it is as it should be. */
export interface Finding {
  readonly check: 'configuration' | 'database' | 'migrations';
  readonly ok: boolean;
  readonly detail: string;
}

/** Looks at one thing after the other, up to one without which the next cannot be looked at. */
export async function check(surroundings: Surroundings): Promise<Finding[]> {
  let config: Config;
  try {
    config = await surroundings.readConfig();
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
