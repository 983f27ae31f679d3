import { Injectable, Logger } from '@nestjs/common';
import { decodeJwt, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../tenants/principal.js';
import { hashOf } from '../tenants/secret.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { IssuerTokens } from './issuer-tokens.js';
import { OwnTokens } from './own-tokens.js';

const mostRemembered = 10_000;
const longestToken = 8_192;

/**
 * For how many milliseconds a token is taken as it was when it was checked: that its client is revoked, its issuer removed
 * or its tenant suspended by another process takes effect after this time at the latest; by this process, at once.
 */
const rememberedFor = 5_000;

/** A header and a payload that are JSON objects in base64url, and a signature, which may be missing. */
const jwtPattern = /^eyJ[\w-]*\.eyJ[\w-]*\.[\w-]*$/;

/** Whether a bearer credential is a JSON Web Token by its shape (RFC 7515 section 3.1). */
export const isJwt = (credential: string): boolean => jwtPattern.test(credential);

/** Finds whose an access token is: one of our token endpoint's, or of an outside issuer's (RFC 7519, RFC 9068). */
@Injectable()
export class AccessTokensService {
  private readonly logger = new Logger(AccessTokensService.name);
  /** By the hash of the token. Only good tokens are remembered, so guessing fills nothing. */
  private readonly remembered = new LRUCache<string, Principal>({
    max: mostRemembered,
    ttl: rememberedFor,
    ttlResolution: 0,
    perf: { now: () => Date.now() },
  });
  /** Counts what was forgotten, so that a check which began before is not remembered after. */
  private forgotten = 0;

  constructor(
    private readonly own: OwnTokens,
    private readonly issuers: IssuerTokens,
    tenants: TenantsService,
  ) {
    tenants.changed.subscribe((tenantId) => this.forget(tenantId));
  }

  /**
   * Recognises a token that was checked a moment ago, without the database and without its signature.
   * @returns undefined for any other, and for one that has expired
   */
  recognise(jwt: string): Principal | undefined {
    const principal = this.remembered.get(hashOf(jwt));
    return principal && principal.expiresAt.getTime() > Date.now() ? principal : undefined;
  }

  /**
   * Checks a token (RFC 9068 section 4).
   * @returns undefined for one that is not good: malformed, of an unknown issuer, not signed by it, for another audience,
   * expired, not valid yet, too old, or of a client that is revoked
   * @throws ScimError unavailable while the issuer's keys cannot be read
   */
  async authenticate(jwt: string): Promise<Principal | undefined> {
    if (jwt.length > longestToken || !isJwt(jwt)) return undefined;
    const forgotten = this.forgotten;
    const principal = await this.verify(jwt);
    if (principal && forgotten === this.forgotten) this.remembered.set(hashOf(jwt), principal);
    return principal;
  }

  /** Forgets a tenant's tokens, so that what was changed of its clients and issuers takes effect in this process. */
  forget(tenantId: string): void {
    this.forgotten++;
    for (const [key, { tenant }] of this.remembered.entries()) if (tenant.id === tenantId) this.remembered.delete(key);
  }

  private async verify(jwt: string): Promise<Principal | undefined> {
    try {
      const claims = decodeJwt(jwt);
      return await (claims.iss === this.own.issuer ? this.own.verify(jwt) : this.issuers.verify(jwt, claims));
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      // What a client is not told, its operator can look up.
      this.logger.log(`An access token was refused: ${error.code} ${error.message}`);
      return undefined;
    }
  }
}
