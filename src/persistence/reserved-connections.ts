import type { FactoryProvider, OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityTarget, type ObjectLiteral, type Repository } from 'typeorm';
import { reservedConnections } from './connections.js';
import { isServer, poolOf } from './data-source.js';
import type pg from 'pg';

/**
 * A few connections apart from those that tenants' requests share, for what is needed before any of them: whose credentials
 * these are, the keys that sign, what other processes counted, and whether the database answers. So one tenant's load
 * neither makes processes leave the service nor stops others' first requests. Nothing that takes long has a place here.
 */
export class ReservedConnections implements OnApplicationShutdown {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly isOwn: boolean,
  ) {}

  /** Opens the connections; the embedded database has one, which everybody shares. */
  static async beside(shared: DataSource): Promise<ReservedConnections> {
    if (!isServer(shared)) return new ReservedConnections(shared, false);
    const { extra } = shared.options as { extra: object };
    const options = { ...shared.options, extra: { ...extra, max: reservedConnections } };
    return new ReservedConnections(await new DataSource(options).initialize(), true);
  }

  /** The pool of the connections; undefined where there are none. */
  get ownPool(): pg.Pool | undefined {
    return this.isOwn ? poolOf(this.dataSource) : undefined;
  }

  /** Runs a statement. @returns its rows */
  query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.dataSource.query<Row[]>(text, values);
  }

  /** An entity's rows, over these connections. */
  repository<Entity extends ObjectLiteral>(entity: EntityTarget<Entity>): Repository<Entity> {
    return this.dataSource.getRepository(entity);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.isOwn) await this.dataSource.destroy();
  }
}

export const reservedConnectionsProvider: FactoryProvider<ReservedConnections> = {
  provide: ReservedConnections,
  inject: [DataSource],
  useFactory: (dataSource: DataSource) => ReservedConnections.beside(dataSource),
};
