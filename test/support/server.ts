import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Writable } from 'node:stream';
import type { AddressInfo } from 'node:net';
import { DataSource } from 'typeorm';
import { AppModule } from '../../src/app.module.js';
import { setUp } from '../../src/app.setup.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { readConfig, type Config } from '../../src/config.js';
import { prepareDefaultTenant } from '../../src/first-start.js';
import { openAdminPort } from '../../src/http/admin-port.js';
import { ScimExpressAdapter } from '../../src/http/scim-express.adapter.js';
import { basePath } from '../../src/http/scim-path.js';
import { createLogger, NestLogger } from '../../src/ops/logging.js';
import type { TenantSettings } from '../../src/scim/index.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import { ScimClient } from './client.js';
import { createDatabase, type TestDatabase } from './database.js';
import { preparedStatements } from './prepared-statements.js';

/** The public URL that test servers are configured with: not the one they listen on, so that mixing them up shows. */
export const publicUrl = 'https://scim.example.com';

/** Whoever prepares what tests need. */
export const author = { actor: 'test', requestId: 'test' } as const;

/** A Rollcall on a database of its own, listening on a free port. */
export interface TestServer {
  readonly app: NestExpressApplication;
  readonly dataSource: DataSource;
  /** Such as http://127.0.0.1:41234 */
  readonly origin: string;
  /** A client of the default tenant. */
  readonly scim: ScimClient;
  /** Where the administration is: `origin`, unless ADMIN_PORT is set. */
  readonly adminOrigin: string;
  /** What was logged so far, one object a line. */
  readonly logged: () => Record<string, unknown>[];
  /** Makes another tenant. @returns a client of it */
  readonly addTenant: (name: string, settings?: Partial<TenantSettings>) => Promise<ScimClient>;
  readonly close: () => Promise<void>;
}

/**
 * Starts a server in this process. Nobody has to wait for anybody, unless the environment turns limits on.
 * @param on the database, which goes with the server
 */
export async function startServer(
  environment: Readonly<Record<string, string>> = {},
  on: Promise<TestDatabase> = createDatabase(),
): Promise<TestServer> {
  const { database, drop } = await on;
  const config: Config = readConfig({
    PUBLIC_URL: publicUrl,
    RATE_LIMIT: 'off',
    ...preparedStatements,
    ...environment,
  });
  const lines: string[] = [];
  const sink = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) });
  const logger = createLogger({ logLevel: 'debug' }, sink);
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.on(database, config),
    new ScimExpressAdapter(),
    {
      logger: new NestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    },
  );
  setUp(app, config, logger);
  const secret = (await prepareDefaultTenant(app, config)) ?? config.scimToken ?? '';
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const adminPort =
    config.adminPort === undefined
      ? undefined
      : await openAdminPort(app.getHttpServer(), config.adminPort, '127.0.0.1');
  return {
    app,
    dataSource: app.get(DataSource),
    origin,
    adminOrigin: adminPort ? `http://127.0.0.1:${(adminPort.address() as AddressInfo).port}` : origin,
    scim: new ScimClient(origin + basePath, secret),
    logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    addTenant: async (name, settings = {}) => {
      const tenant = await app.get(TenantsService).create(author, name, settings);
      const { secret } = await app.get(TokensService).issue(author, tenant, { name: 'test' });
      return new ScimClient(origin + basePath, secret);
    },
    close: async () => {
      adminPort?.close();
      const closed = app.close();
      // Connections that never sent a request would keep the server open.
      app.getHttpServer().closeAllConnections();
      await closed;
      await drop();
    },
  };
}
