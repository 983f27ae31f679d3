import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { guardedLookup, hostOf, mayConnect } from './issuer-url.js';

const timeout = 5_000;
const largestBody = 262_144;

/**
 * Fetches a JSON document of an issuer: within 5 seconds, at most 256 KiB, without following redirects, and from allowed
 * addresses only. The address that is connected to is the one that was checked.
 * @param loopback whether it may be on this machine
 * @throws Error for anything but a document; its message holds nothing of it
 */
export async function fetchJson(url: URL, loopback: boolean): Promise<unknown> {
  const host = hostOf(url);
  // An address in the URL is not looked up.
  if (isIP(host) !== 0 && !mayConnect(host, loopback)) throw new Error('The address is not allowed');
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, {
    headers: { accept: 'application/json', 'user-agent': 'Rollcall' },
    signal: AbortSignal.timeout(timeout),
    lookup: guardedLookup(loopback),
    agent: false,
  });
  // What fails after the response began is thrown by the response.
  request.on('error', () => undefined);
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  try {
    if (response.statusCode !== 200) throw new Error(`The answer is ${response.statusCode}`);
    return JSON.parse(await textOf(response)) as unknown;
  } finally {
    response.destroy();
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new Error(`The answer is larger than ${largestBody} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
