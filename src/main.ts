import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { setUp } from './app.setup.js';
import { readConfig, type Config } from './config.js';
import { prepareDefaultTenant } from './first-start.js';
import { openAdminPort } from './http/admin-port.js';
import { ScimExpressAdapter } from './http/scim-express.adapter.js';
import { basePath } from './http/scim-path.js';
import { Lifecycle } from './ops/lifecycle.js';
import { createLogger, NestLogger } from './ops/logging.js';
import { serveMetrics, type MetricsServer } from './ops/metrics-server.js';
import { Metrics } from './ops/metrics.js';
import { startFailure } from './ops/start-failure.js';
import { onStopSignal, type StopSignal } from './ops/stop-signals.js';
import type { Tracing } from './ops/tracing.js';
import { openEmbedded } from './persistence/embedded.js';
import { publishAddress } from './persistence/server-address.js';

/**
 * For how many milliseconds a signal still lets the server take connections: whoever sends requests here has to see
 * /readyz first. A person at a terminal need not wait.
 */
const drainTimes: Readonly<Record<StopSignal, number>> = { SIGTERM: 1_000, SIGINT: 0 };
const shutdownDeadline = 25_000;

/** Starts the server and keeps it until a signal asks it to stop. */
async function start(): Promise<void> {
  // Nothing was acknowledged yet, and a migration that is under way is taken back.
  onStopSignal(() => process.exit(0));
  const config = readConfig();
  const logger = createLogger(config);
  // Loaded only when it is wanted: nobody else pays for it.
  const tracing = config.tracing ? (await import('./ops/tracing.js')).startTracing(logger) : undefined;
  const embedded = config.databaseUrl === undefined ? await openEmbedded(config.dataDir) : undefined;
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.on(embedded ?? config.databaseUrl ?? '', config),
    new ScimExpressAdapter(),
    {
      logger: new NestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    },
  );
  setUp(app, config, logger);
  const connections = openConnections(app.getHttpServer());
  const answers = openAnswers(app.getHttpServer());
  const secret = await prepareDefaultTenant(app, config);
  const metrics =
    config.metricsPort === undefined
      ? undefined
      : await serveMetrics(app.get(Metrics), logger, { host: config.host, port: config.metricsPort });
  await app.listen(config.port, config.host);
  const adminPort =
    config.adminPort === undefined || config.adminToken === undefined
      ? undefined
      : await openAdminPort(app.getHttpServer(), config.adminPort, config.host);
  if (embedded !== undefined) {
    const bound = (adminPort ?? app.getHttpServer()).address() as AddressInfo;
    await publishAddress(config.dataDir, bound, config.adminToken !== undefined);
  }
  const running: Running = { app, logger, connections, answers, adminPort, metrics, tracing, close: embedded?.close };
  onStopSignal((signal) => void stop(running, signal));
  announce(config, secret, running);
}

/** Tells a person where the server is. The secret is shown this once and cannot be read again. */
function announce(config: Config, secret: string | undefined, { app, adminPort, metrics }: Running): void {
  const { address, port } = app.getHttpServer().address() as AddressInfo;
  const admin = adminPort?.address() as AddressInfo | undefined;
  const lines = [
    `Rollcall listens on ${address}:${port}`,
    `  SCIM base URL  ${config.publicUrl}${basePath}`,
    ...(secret === undefined ? [] : [`  Bearer token   ${secret}`, '                 (shown this once; keep it)']),
    ...(admin === undefined ? [] : [`  Admin API      http://${admin.address}:${admin.port}/admin/v1`]),
    ...(metrics === undefined ? [] : [`  Metrics        ${metrics.url}`]),
    ...(config.docs ? [`  Swagger UI     ${config.publicUrl}/docs`] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** What is open while the server runs. */
interface Running {
  readonly app: NestExpressApplication;
  readonly logger: Logger;
  readonly connections: ReadonlySet<Socket>;
  readonly answers: ReadonlySet<ServerResponse>;
  /** Where operators connect, when they have a port of their own. */
  readonly adminPort: NetServer | undefined;
  readonly metrics: MetricsServer | undefined;
  readonly tracing: Tracing | undefined;
  /** Closes the embedded database. */
  readonly close: (() => Promise<void>) | undefined;
}

/** Stops in order: report not ready, finish what runs, write what is kept in memory, close the database. */
async function stop(
  { app, logger, connections, answers, adminPort, metrics, tracing, close }: Running,
  signal: StopSignal,
): Promise<void> {
  app.get(Lifecycle).stop();
  const server: Server = app.getHttpServer();
  endConnections(server, answers);
  logger.info({ signal }, 'stopping');
  setTimeout(() => {
    logger.error('requests did not finish in time');
    process.exit(1);
  }, shutdownDeadline).unref();
  await delay(drainTimes[signal]);
  // What was told nothing, because its answer had begun, ends with that answer.
  server.keepAliveTimeout = 1;
  // Some clients connect before they have anything to ask. The server would wait for those.
  for (const connection of connections) if (connection.bytesRead === 0) connection.destroy();
  const adminClosed = adminPort && new Promise((closed) => adminPort.close(closed));
  await app.close();
  await adminClosed;
  await close?.();
  await metrics?.close();
  await tracing?.stop();
  process.exit(0);
}

/** Keeps the server's connections that are open. */
function openConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  return connections;
}

/** Keeps the server's answers that are not complete. */
function openAnswers(server: Server): ReadonlySet<ServerResponse> {
  const answers = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    answers.add(response);
    response.once('close', () => answers.delete(response));
  });
  return answers;
}

/**
 * Ends each connection with the request it carries, or with its next one: clients keep connections open, and the server
 * closes with the last. Each is told with the answer, because whoever is not may send another request just then.
 */
function endConnections(server: Server, answers: ReadonlySet<ServerResponse>): void {
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  for (const answer of answers) if (!answer.headersSent) answer.setHeader('Connection', 'close');
}

start().catch((error: unknown) => {
  process.stderr.write(`${startFailure(error) ?? (error as Error).stack}\n`);
  process.exit(1);
});
