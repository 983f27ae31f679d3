import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { isServer, poolOf } from './data-source.js';
import { LookUps } from './look-ups.js';
import { Portions } from './portions.js';
import { ReservedConnections } from './reserved-connections.js';
import { Searches } from './searches.js';

/** How many connections the server lets this role have; null for no limit of its own. */
interface Room {
  readonly server: number;
  readonly role: number | null;
  readonly database: number | null;
}

/** All connections that this process has to the database, and whether the database has room for them. */
@Injectable()
export class Pools implements OnApplicationBootstrap {
  /** Pools by the name that they have in the metrics. */
  readonly byName: Readonly<Record<string, pg.Pool>>;
  private readonly logger = new Logger('Database');

  constructor(
    private readonly dataSource: DataSource,
    lookUps: LookUps,
    searches: Searches,
    portions: Portions,
    private readonly reserved: ReservedConnections,
  ) {
    this.byName = {
      requests: poolOf(dataSource),
      ...(searches.ownPool && { searches: searches.ownPool }),
      ...(reserved.ownPool && { reserved: reserved.ownPool }),
      ...(lookUps.ownPool && { look_ups: lookUps.ownPool }),
      ...(portions.ownPool && { large_groups: portions.ownPool }),
    };
  }

  /** How many connections this process opens at most. */
  get most(): number {
    return Object.values(this.byName).reduce((sum, { options }) => sum + options.max, 0);
  }

  /** Warns where the database has no room for this process alone. */
  async onApplicationBootstrap(): Promise<void> {
    if (!isServer(this.dataSource)) return;
    const room = await this.room().catch(() => undefined);
    const fits = room && Math.min(...Object.values(room).filter((limit): limit is number => limit !== null));
    if (fits === undefined || fits >= this.most) return;
    this.logger.warn(
      `PostgreSQL lets this role have ${fits} connections, and each process opens up to ${this.most}: raise ` +
        `max_connections or the role's limit, or lower DATABASE_CONNECTIONS`,
    );
  }

  /** @returns undefined behind a pooler */
  private async room(): Promise<Room | undefined> {
    const client = await this.reserved.ownPool?.connect();
    if (!client) return undefined;
    try {
      return (await client.query<Room>(roomSql, [(client as unknown as { processID: number }).processID])).rows[0];
    } finally {
      client.release();
    }
  }
}

// A pooler has limits of its own, and names another process than the one that answers. Some of max_connections are kept for superusers, from version 16 on also for roles that may use reserved ones.
const roomSql = `
  SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
      - coalesce(current_setting('reserved_connections', true)::integer, 0) AS server,
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS role,
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS database
  WHERE pg_backend_pid() = $1::integer`;
