import { exportJWK } from 'jose';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import type { IssuerKey } from './issuer.js';
import { startProgram, type RunningProgram } from './programs.js';

const script = fileURLToPath(new URL('oidc-provider.mjs', import.meta.url));

/** An identity provider that runs as a program of its own on this machine. */
export interface IssuerProgram {
  /** The `iss` of its tokens. */
  readonly url: string;
  /** Gets a token with the credentials that its client has. */
  readonly token: (audience: string, scope?: string) => Promise<string>;
  readonly stop: () => Promise<void>;
  /** Starts it again where it was, with these keys: the first signs. */
  readonly restart: (...keys: IssuerKey[]) => Promise<void>;
}

/** Starts the program. */
export async function startIssuerProgram(...keys: IssuerKey[]): Promise<IssuerProgram> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = { name: 'oidc-provider', path: process.execPath };
  const start = async (given: readonly IssuerKey[]): Promise<RunningProgram> => {
    const jwks = given.map(async ({ privateKey, publicJwk }) => ({ ...publicJwk, ...(await exportJWK(privateKey)) }));
    return startProgram(program, [script, String(port), JSON.stringify(await Promise.all(jwks))], port);
  };
  let running: RunningProgram | undefined = await start(keys);
  const stop = async (): Promise<void> => {
    await running?.stop('SIGKILL');
    running = undefined;
  };
  return {
    url,
    token: (audience, scope = 'scim.read scim.write') => askForToken(url, audience, scope),
    stop,
    restart: async (...others) => {
      await stop();
      running = await start(others);
    },
  };
}

async function askForToken(url: string, audience: string, scope: string): Promise<string> {
  const answer = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa('provisioning:secret-of-provisioning')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope }),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`No token was issued: ${answer.status}`);
  return token;
}
