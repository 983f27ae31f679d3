import type { IncomingMessage } from 'node:http';

/** Whether the client asks for the resource in the answer (RFC 7240 section 4.2). */
export function prefersRepresentation(request: IncomingMessage): boolean {
  const prefer = [request.headers['prefer'] ?? []].flat().join(',');
  return prefer.split(/[,;]/).some((preference) => /^\s*return\s*=\s*"?representation"?\s*$/i.test(preference));
}
