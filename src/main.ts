import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { setUp } from './app.setup.js';
import { ConfigError, readConfig, type Config } from './config.js';
import { prepareDefaultTenant } from './first-start.js';
import { basePath } from './http/scim-path.js';
import { Lifecycle } from './ops/lifecycle.js';
import { createLogger, NestLogger } from './ops/logging.js';
import { DataDirectoryInUse } from './persistence/data-directory.js';
import { openEmbedded } from './persistence/embedded.js';

const shutdownSignals = ['SIGTERM', 'SIGINT'] as const;
const shutdownDeadline = 25_000;

/** Starts the server and keeps it until a signal asks it to stop. */
async function start(): Promise<void> {
  const config = readConfig();
  const logger = createLogger(config);
  const embedded = config.databaseUrl === undefined ? await openEmbedded(config.dataDir) : undefined;
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.on(embedded ?? config.databaseUrl ?? '', config),
    {
      logger: new NestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    },
  );
  setUp(app, config, logger);
  const secret = await prepareDefaultTenant(app, config);
  await app.listen(config.port, config.host);
  announce(app, config, secret);
  for (const signal of shutdownSignals) {
    process.once(signal, () => void stop(app, logger, signal, embedded?.close));
  }
}

/** Tells a person where the server is. The secret is shown this once and cannot be read again. */
function announce(app: NestExpressApplication, config: Config, secret: string | undefined): void {
  const { address, port } = app.getHttpServer().address() as AddressInfo;
  const lines = [
    `Rollcall listens on ${address}:${port}`,
    `  SCIM base URL  ${config.publicUrl}${basePath}`,
    ...(secret === undefined ? [] : [`  Bearer token   ${secret}`, '                 (shown this once; keep it)']),
    `  Swagger UI     ${config.publicUrl}/docs`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Stops in order: report not ready, finish what runs, write what is kept in memory, close the database. */
async function stop(
  app: NestExpressApplication,
  logger: Logger,
  signal: string,
  close?: () => Promise<void>,
): Promise<void> {
  logger.info({ signal }, 'stopping');
  app.get(Lifecycle).stop();
  setTimeout(() => {
    logger.error('requests did not finish in time');
    process.exit(1);
  }, shutdownDeadline).unref();
  await app.close();
  await close?.();
  process.exit(0);
}

start().catch((error: unknown) => {
  const expected = error instanceof ConfigError || error instanceof DataDirectoryInUse;
  process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
  process.exit(1);
});
