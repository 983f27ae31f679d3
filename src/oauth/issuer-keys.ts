import { Logger } from '@nestjs/common';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { ScimError } from '../scim/index.js';
import { fetchJson } from './fetch-json.js';
import { readIssuerUrl } from './issuer-url.js';

const minute = 60_000;
/** When keys are read again, how long they are used while they cannot be, and how often an unknown kid makes us look. */
const freshFor = 10 * minute;
const usableFor = 24 * 60 * minute;
const cooldown = 30_000;
// So that not every token waits for a server that does not answer.
const retryAfter = 5_000;
const warningInterval = minute;

/** Where an issuer's keys are. */
export interface KeyLocation {
  readonly issuer: string;
  /** Null: where the issuer's metadata says. */
  readonly jwksUri: string | null;
  /** Whether they may be on this machine. */
  readonly loopback: boolean;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * The public keys of an outside issuer (RFC 7517). They are kept for ten minutes, and for a day while the issuer cannot be
 * reached. A token of a key that is not among them makes us look again, at most every 30 seconds: so issuers rotate.
 */
export class IssuerKeys {
  private readonly logger = new Logger(IssuerKeys.name);
  private keys: KeySet | undefined;
  private readAt = -Infinity;
  private failedAt = -Infinity;
  private warnedAt = -Infinity;
  private reading: Promise<KeySet> | undefined;

  constructor(private readonly location: KeyLocation) {}

  /**
   * Finds the key of a token.
   * @throws jose's errors when there is none; ScimError unavailable, with Retry-After, when it cannot be known now
   */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    const now = Date.now();
    const keys = this.keys && now - this.readAt < usableFor ? this.keys : await this.read();
    // What is there is good enough for this token; the next one has the new ones.
    if (now - this.readAt >= freshFor) this.read().catch(() => undefined);
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || now - this.readAt < cooldown) throw error;
    }
    return (await this.read())(header, token);
  };

  private read(): Promise<KeySet> {
    if (Date.now() - this.failedAt < retryAfter) return Promise.reject(unavailable());
    this.reading ??= this.load().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async load(): Promise<KeySet> {
    const { loopback } = this.location;
    try {
      const keys = createLocalJWKSet((await fetchJson(await this.uri(), loopback)) as JSONWebKeySet);
      this.keys = keys;
      this.readAt = Date.now();
      return keys;
    } catch (error) {
      this.failedAt = Date.now();
      this.warn(error);
      throw unavailable();
    }
  }

  private async uri(): Promise<URL> {
    const { issuer, jwksUri, loopback } = this.location;
    const text = jwksUri ?? (await discover(issuer, loopback));
    return readIssuerUrl(text, 'jwks_uri', loopback);
  }

  private warn(error: unknown): void {
    if (Date.now() - this.warnedAt < warningInterval) return;
    this.warnedAt = Date.now();
    const { code, message } = error as NodeJS.ErrnoException;
    this.logger.warn(`The keys of the issuer ${this.location.issuer} cannot be read (${code ?? message})`);
  }
}

const unavailable = (): ScimError =>
  new ScimError('unavailable', "The keys of the token's issuer cannot be read now; try again later.", {
    'Retry-After': String(retryAfter / 1000),
  });

/** Reads from an issuer's metadata where its keys are (RFC 8414 section 3, OpenID Connect Discovery section 4). */
async function discover(issuer: string, loopback: boolean): Promise<string> {
  const base = readIssuerUrl(issuer, 'issuer', loopback);
  const path = base.pathname.replace(/\/$/, '');
  const places = [`${path}/.well-known/openid-configuration`, `/.well-known/oauth-authorization-server${path}`];
  let failure: unknown;
  for (const place of places) {
    try {
      const metadata = (await fetchJson(new URL(place, base), loopback)) as { issuer?: unknown; jwks_uri?: unknown };
      // RFC 8414 section 3.3: metadata of another issuer must not be used.
      if (metadata.issuer !== issuer) throw new Error('The metadata is of another issuer');
      if (typeof metadata.jwks_uri !== 'string') throw new Error('The metadata has no jwks_uri');
      return metadata.jwks_uri;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
