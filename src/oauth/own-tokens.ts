import { Injectable } from '@nestjs/common';
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { v4 as randomId, validate as isUuid } from 'uuid';
import { Config } from '../config.js';
import { basePath } from '../http/scim-path.js';
import type { Scope } from '../http/scope.js';
import { ReservedConnections } from '../persistence/reserved-connections.js';
import type { Principal } from '../tenants/principal.js';
import { tenantRecord } from '../tenants/tenant.js';
import { claimValues, inOrder } from './claims.js';
import { clockTolerance } from './issuer-tokens.js';
import { OAuthClientEntity } from './oauth-client.entity.js';
import { SigningKeys, signingAlgorithm } from './signing-keys.js';

/** The type in our tokens' header (RFC 9068 section 2.1). */
const tokenType = 'at+jwt';

/** An access token as the token endpoint answers with it. */
export interface AccessToken {
  readonly jwt: string;
  /** How long it lives, in seconds. */
  readonly expiresIn: number;
  readonly scopes: readonly Scope[];
}

/** Signs and checks our own access tokens (RFC 9068). */
@Injectable()
export class OwnTokens {
  private readonly audience: string;

  constructor(
    private readonly keys: SigningKeys,
    private readonly connections: ReservedConnections,
    private readonly config: Config,
  ) {
    this.audience = config.publicUrl + basePath;
  }

  /** The `iss` of our tokens. */
  get issuer(): string {
    return this.config.publicUrl;
  }

  /**
   * Signs a token for a client.
   * @param until when the secret ends that the client showed: no token of it lives longer
   */
  async sign(client: OAuthClientEntity, scopes: readonly Scope[], until: Date): Promise<AccessToken> {
    const now = Math.floor(Date.now() / 1000);
    const expiresIn = Math.min(this.config.accessTokenSeconds, Math.ceil(until.getTime() / 1000) - now);
    const { kid, privateKey } = await this.keys.current();
    const jwt = await new SignJWT({ client_id: client.id, tenant: client.tenantId, scope: scopes.join(' ') })
      .setProtectedHeader({ alg: signingAlgorithm, typ: tokenType, kid })
      .setIssuer(this.issuer)
      .setAudience(this.audience)
      .setSubject(client.id)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + expiresIn)
      .setJti(randomId())
      .sign(privateKey);
    return { jwt, expiresIn, scopes };
  }

  /**
   * Checks a token, and that its client is still there.
   * @returns undefined when it is not
   * @throws jose's errors for a token that is not good
   */
  async verify(jwt: string): Promise<Principal | undefined> {
    const keyOf = async ({ kid = '' }: { kid?: string }) => {
      const key = await this.keys.publicKey(kid);
      if (!key) throw new errors.JWKSNoMatchingKey();
      return key;
    };
    const { payload } = await jwtVerify(jwt, keyOf, {
      algorithms: [signingAlgorithm],
      typ: tokenType,
      issuer: this.issuer,
      audience: this.audience,
      requiredClaims: ['exp', 'iat', 'client_id', 'tenant'],
      clockTolerance,
      currentDate: new Date(),
    });
    return this.principalOf(payload);
  }

  private async principalOf(payload: JWTPayload): Promise<Principal | undefined> {
    const { tenant: tenantId, client_id: id, exp = 0 } = payload;
    if (!isUuid(tenantId) || !isUuid(id)) return undefined;
    const where = { tenantId: tenantId as string, id: id as string };
    const clients = this.connections.repository(OAuthClientEntity);
    const client = await clients.findOne({ where, relations: { tenant: true } });
    if (!client?.tenant) return undefined;
    // What the client lost since, its tokens lost as well.
    const scopes = claimValues(payload, 'scope').filter((scope): scope is Scope =>
      client.scopes.includes(scope as Scope),
    );
    return Object.freeze({
      tenant: tenantRecord(client.tenant),
      actor: `client:${client.id}`,
      scopes: Object.freeze(inOrder(scopes)),
      expiresAt: new Date((exp + clockTolerance) * 1000),
    });
  }
}
