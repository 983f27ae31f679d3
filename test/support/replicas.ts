import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import { AdminClient, adminToken, startAdministered } from './admin.js';
import { ScimClient } from './client.js';
import { createDatabase, serverUrl } from './database.js';
import { build, endProcesses, startProcess, stopProcess } from './process.js';

/** The servers on one database: two processes on PostgreSQL, and the one there can be on the embedded database. */
export interface Replicas {
  /** A client of the default tenant for each server. */
  readonly clients: readonly ScimClient[];
  readonly admin: AdminClient;
  /** The same database. */
  readonly dataSource: DataSource;
  /** Makes a tenant. @returns a client of it for each server */
  readonly addTenant: (name: string) => Promise<ScimClient[]>;
  readonly close: () => Promise<void>;
}

/** Starts servers on a database of their own. */
export async function startReplicas(): Promise<Replicas> {
  return serverUrl === undefined ? startOne() : startTwo();
}

async function startOne(): Promise<Replicas> {
  const { scim, admin, dataSource, close } = await startAdministered();
  return { clients: [scim], admin, dataSource, addTenant: tenantsOf(admin, [scim]), close };
}

async function startTwo(): Promise<Replicas> {
  await build();
  const { database, drop } = await createDatabase();
  const environment = {
    DATABASE_URL: database as string,
    SCIM_TOKEN: 'replicas-token-of-32-characters-or-more',
    ADMIN_TOKEN: adminToken,
  };
  const processes = await Promise.all([startProcess(environment), startProcess(environment)]);
  const clients = processes.map(({ scim }) => scim);
  const admin = new AdminClient(`${processes[0].origin}/admin/v1`, adminToken);
  const dataSource = await new DataSource(dataSourceOptions(database)).initialize();
  const close = async (): Promise<void> => {
    await dataSource.destroy();
    await Promise.all(processes.map(stopProcess));
    await endProcesses();
    await drop();
  };
  return { clients, admin, dataSource, addTenant: tenantsOf(admin, clients), close };
}

function tenantsOf(admin: AdminClient, servers: readonly ScimClient[]) {
  return async (name: string): Promise<ScimClient[]> => {
    const { baseUrl, token } = await admin.connect(name);
    const { pathname } = new URL(baseUrl);
    return servers.map((server) => new ScimClient(new URL(server.baseUrl).origin + pathname, token));
  };
}

/** Runs tasks, so many at a time, each as soon as one before it has ended. @returns their results in their order */
export async function inParallel<T>(width: number, tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < tasks.length; index = next++) {
      results[index] = await (tasks[index] as () => Promise<T>)();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
