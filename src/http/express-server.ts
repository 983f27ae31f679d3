import type { Express } from 'express';
import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http';

/** How often connections are looked for whose request does not come, in milliseconds. */
const connectionsCheckingInterval = 5_000;

const schemeAndAuthority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/**
 * The path and query of a request target (RFC 9112 section 3.2). The authority of one in absolute form, as proxies are sent,
 * is left out unread: no answer depends on it, and Express's router would leave to itself a request whose authority it
 * cannot read.
 */
function originForm(target = ''): string {
  const rest = target.replace(schemeAndAuthority, '');
  return rest === target || rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Makes the HTTP server of an Express application, whose requests and responses have Express's prototypes from their start.
 * Express would give them these by `Object.setPrototypeOf`, request by request, and V8 would have to learn anew what each
 * of these objects looks like wherever one is used: a third of the time that a read takes.
 */
export function createExpressServer(app: Express): Server {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse {}
  app.request = Object.setPrototypeOf(ExpressRequest.prototype, app.request) as Express['request'];
  app.response = Object.setPrototypeOf(ExpressResponse.prototype, app.response) as Express['response'];
  const options = { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse, connectionsCheckingInterval };
  return createServer(options, (request, response) => {
    request.url = originForm(request.url);
    // Node gives it the connection once those before it are answered.
    if (response.socket === null) endWithConnection(request, response);
    app(request, response);
  });
}

/**
 * Closes the response to a pipelined request (RFC 9112 section 9.3.2) when its connection closes. Node does so only for the
 * response that has the connection: those behind it would never give back what they hold.
 */
function endWithConnection({ socket }: IncomingMessage, response: ServerResponse): void {
  const close = (): void => {
    if (response.closed) return;
    response.destroy();
    response.emit('close');
  };
  socket.once('close', close);
  response.once('close', () => socket.off('close', close));
}
