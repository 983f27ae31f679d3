import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { AdminModule } from './admin/admin.module.js';
import { watchParts } from './app.metrics.js';
import type { Config } from './config.js';
import { separateAdminPort } from './http/admin-port.js';
import { answerClientError, refuseConnect } from './http/client-error.js';
import { RequestBodies } from './http/request-bodies.js';
import { boundConnections } from './http/connections.js';
import { checkHeaderLines, mostHeaderLines } from './http/header-lines.js';
import { ScimExceptionFilter } from './http/scim-exception.filter.js';
import { MediaTypeGuard } from './http/scim-message.js';
import { securityHeaders } from './http/security-headers.js';
import { tenantInPath } from './http/tenant-in-path.js';
import { RequestMetrics } from './ops/metrics-requests.js';
import { requestLog } from './ops/request-log.js';
import { serveSwagger } from './ops/swagger.js';
import { toScimError } from './persistence/database-error.js';
import { RequestRecorder } from './request-log/request-recorder.js';

const second = 1000;
const warningInterval = 60 * second;

/** Sets up what every request passes through. The process and the HTTP tests share it. */
export function setUp(app: NestExpressApplication, config: Config, logger: Logger): void {
  app.disable('x-powered-by');
  // Versions are our entity tags; Express's hash of the body would contradict them.
  app.set('etag', false);
  // Query strings are read strictly, and only where SCIM defines them.
  app.set('query parser', false);
  // The proxies whose X-Forwarded-For is trusted: none by default.
  app.set('trust proxy', config.trustProxy ?? false);
  app.setLocal('bodies', app.get(RequestBodies));
  app.use(requestLog(logger, app.get(RequestMetrics), app.get(RequestRecorder)));
  watchParts(app);
  app.use(securityHeaders(config.publicUrl.startsWith('https:')));
  app.use(checkHeaderLines);
  if (config.adminPort !== undefined) app.use(separateAdminPort);
  app.use(tenantInPath);
  app.useGlobalGuards(new MediaTypeGuard());
  app.useGlobalFilters(new ScimExceptionFilter(logger, toScimError));
  serveSwagger(app, config, AdminModule);
  boundServer(app.getHttpServer(), config, logger);
}

/** Bounds what connections may cost. */
function boundServer(server: Server, { httpConnections, trustProxy }: Config, logger: Logger): void {
  // A client that sends slowly is let go, so that it cannot keep a connection.
  server.headersTimeout = 15 * second;
  server.requestTimeout = 60 * second;
  server.keepAliveTimeout = 65 * second;
  // One more than are allowed: it is seen that there are more.
  server.maxHeadersCount = mostHeaderLines + 1;
  let warnedAt = -Infinity;
  boundConnections(server, { most: httpConnections, byAddress: trustProxy === undefined }, () => {
    if (Date.now() - warnedAt < warningInterval) return;
    warnedAt = Date.now();
    logger.warn({ connections: httpConnections }, 'connections are refused: there are too many');
  });
  server.on('clientError', answerClientError);
  server.on('connect', refuseConnect);
  // An expectation that we do not know is ignored (RFC 9110 section 10.1.1); Node would refuse it without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}
