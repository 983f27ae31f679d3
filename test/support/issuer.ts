import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A key pair of an issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Makes a key pair for an algorithm. */
export async function issuerKey(kid: string, algorithm = 'RS256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    kid,
    algorithm,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
  };
}

type Answer = (response: ServerResponse) => void;

/** An identity provider on this machine: it publishes metadata and keys, and signs tokens. */
export interface TestIssuer {
  /** The `iss` of its tokens, such as http://127.0.0.1:41234 */
  readonly url: string;
  readonly jwksUri: string;
  /** The keys that it publishes, which can be changed. */
  readonly keys: IssuerKey[];
  /** How often its keys were asked for. */
  readonly fetched: () => number;
  /** Makes it answer requests for its keys in another way, until it is called with nothing. */
  readonly answer: (answer?: Answer) => void;
  /** Makes it answer requests for its metadata with this, until it is called with nothing. */
  readonly describe: (metadata?: object) => void;
  /**
   * Signs a token that is good for five minutes unless the claims say otherwise.
   * @param header replaces what the header says
   */
  readonly sign: (claims: Readonly<Record<string, unknown>>, key?: IssuerKey, header?: object) => Promise<string>;
  /** Stops listening, as one that cannot be reached. */
  readonly stop: () => Promise<void>;
  /** Listens again where it did. */
  readonly resume: () => Promise<void>;
}

/** Starts an issuer with one key. */
export async function startIssuer(algorithm = 'RS256'): Promise<TestIssuer> {
  const keys = [await issuerKey('first', algorithm)];
  const sockets = new Set<Socket>();
  let fetched = 0;
  let answer: Answer | undefined;
  let metadata: object | undefined;
  const server = createServer((request, response) => {
    const json = (body: unknown): void => {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
    };
    if (request.url === '/jwks') {
      fetched += 1;
      if (answer) answer(response);
      else json({ keys: keys.map(({ publicJwk }) => publicJwk) });
    } else if (request.url === '/.well-known/openid-configuration')
      json(metadata ?? { issuer: url, jwks_uri: jwksUri });
    else response.writeHead(404).end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => void server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const jwksUri = `${url}/jwks`;
  return {
    url,
    jwksUri,
    keys,
    fetched: () => fetched,
    answer: (other) => (answer = other),
    describe: (other) => (metadata = other),
    sign: async (claims, key = keys[0], header = {}) => {
      if (!key) throw new Error('The issuer has no key');
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: url, iat: now, exp: now + 300, sub: 'provisioning', ...claims };
      const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
      const protectedHeader = { alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header };
      return new SignJWT(kept).setProtectedHeader(protectedHeader).sign(key.privateKey);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    resume: () => listen(port),
  };
}
