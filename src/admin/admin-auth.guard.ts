import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Config } from '../config.js';
import { FailedAuthentications } from '../limits/failed-authentications.js';
import { ScimError } from '../scim/index.js';

const realm = 'Bearer realm="rollcall-admin"';
const bearer = /^Bearer ([^ ]+)$/i;

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret, 'utf8').digest();

/** Requires the operators' token, ADMIN_TOKEN, as a bearer token (RFC 6750 section 2.1). Tenants' tokens are no good here. */
@Injectable()
export class AdminAuthGuard implements CanActivate {
  private readonly expected: Buffer | undefined;

  constructor(
    { adminToken }: Config,
    private readonly failures: FailedAuthentications,
  ) {
    this.expected = adminToken === undefined ? undefined : hashOf(adminToken);
  }

  /**
   * @throws ScimError unauthorized, with the challenge of RFC 6750 section 3; tooManyRequests for a source that guessed too
   * often
   */
  async canActivate(execution: ExecutionContext): Promise<true> {
    const request = execution.switchToHttp().getRequest<Request>();
    const { authorization } = request.headers;
    if (authorization === undefined) throw new ScimError('unauthorized', undefined, { 'WWW-Authenticate': realm });
    const token = bearer.exec(authorization)?.[1];
    // Marked, because a tenant's token is good elsewhere and not here.
    const isGood = await this.failures.lookUp(request, `admin ${authorization}`, () =>
      Promise.resolve(this.find(token)),
    );
    if (isGood) return true;
    throw new ScimError('unauthorized', 'The bearer token is not the one that operators have.', {
      'WWW-Authenticate': `${realm}, error="invalid_token"`,
    });
  }

  /** Hashes have one length, and comparing them takes one time, however much of a guess is right. */
  private find(token: string | undefined): true | undefined {
    return token !== undefined && this.expected && timingSafeEqual(hashOf(token), this.expected) ? true : undefined;
  }
}
