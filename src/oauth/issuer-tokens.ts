import { Injectable } from '@nestjs/common';
import { jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { In } from 'typeorm';
import { Config } from '../config.js';
import { ReservedConnections } from '../persistence/reserved-connections.js';
import type { Principal } from '../tenants/principal.js';
import { tenantRecord } from '../tenants/tenant.js';
import { grantedScopes, hasRequiredClaims, subjectOf } from './claims.js';
import { IssuerEntity } from './issuer.entity.js';
import { IssuerKeys } from './issuer-keys.js';

const knownIssuers = 1_000;
/** How far clocks may differ, and how old a token may be although it says that it has not expired, in seconds. */
export const clockTolerance = 60;
const oldestToken = 24 * 60 * 60;
const mostAudiences = 20;

/** Checks tokens of outside issuers (RFC 7519, RFC 8725). */
@Injectable()
export class IssuerTokens {
  /** Keys by where they are: tenants may have one issuer in common. */
  private readonly keys = new LRUCache<string, IssuerKeys>({ max: knownIssuers });

  constructor(
    private readonly connections: ReservedConnections,
    private readonly config: Config,
  ) {}

  /**
   * Checks a token.
   * @param unverified its claims, which are good for nothing but finding whose they are
   * @returns undefined when no tenant has the issuer with this audience
   * @throws jose's errors for a token that is not good; ScimError unavailable while its issuer's keys cannot be read
   */
  async verify(jwt: string, unverified: JWTPayload): Promise<Principal | undefined> {
    const issuer = await this.find(unverified);
    if (!issuer?.tenant) return undefined;
    const { payload } = await jwtVerify(jwt, this.keysOf(issuer).get, {
      algorithms: issuer.algorithms,
      issuer: issuer.issuer,
      audience: issuer.audience,
      requiredClaims: ['exp'],
      maxTokenAge: oldestToken,
      clockTolerance,
      currentDate: new Date(),
    });
    if (!hasRequiredClaims(issuer, payload)) return undefined;
    return Object.freeze({
      tenant: tenantRecord(issuer.tenant),
      actor: `issuer:${subjectOf(payload)}`,
      scopes: Object.freeze(grantedScopes(issuer, payload)),
      expiresAt: new Date(((payload.exp ?? 0) + clockTolerance) * 1000),
    });
  }

  /** The one issuer that a token can be of. A token with audiences of two tenants is of none. */
  private async find({ iss, aud }: JWTPayload): Promise<IssuerEntity | undefined> {
    const audiences = [aud].flat().filter((one) => typeof one === 'string');
    if (typeof iss !== 'string' || audiences.length === 0 || audiences.length > mostAudiences) return undefined;
    const where = { issuer: iss, audience: In(audiences) };
    const issuers = this.connections.repository(IssuerEntity);
    const [first, second] = await issuers.find({ where, relations: { tenant: true }, take: 2 });
    return second ? undefined : first;
  }

  private keysOf({ issuer, jwksUri }: IssuerEntity): IssuerKeys {
    const place = JSON.stringify([issuer, jwksUri]);
    const known = this.keys.get(place);
    if (known) return known;
    const keys = new IssuerKeys({ issuer, jwksUri, loopback: this.config.loopbackIssuers });
    this.keys.set(place, keys);
    return keys;
  }
}
