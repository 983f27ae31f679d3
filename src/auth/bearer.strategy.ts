import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { Strategy } from 'passport-http-bearer';
import type { RequestPrincipal } from '../http/request-context.js';
import { AccessTokensService, isJwt } from '../oauth/access-tokens.service.js';
import type { Principal } from '../tenants/principal.js';
import { TokenAuthentication } from './token-authentication.js';

/** Bearer tokens in the Authorization header (RFC 6750 section 2.1). */
@Injectable()
export class BearerStrategy extends PassportStrategy(Strategy, 'bearer') {
  /** How many credentials were recognised, and how many had to be looked up or checked. */
  readonly lookups = { hits: 0, misses: 0 };

  constructor(
    private readonly tokens: TokenAuthentication,
    private readonly accessTokens: AccessTokensService,
  ) {
    super();
  }

  /**
   * Recognises a credential that was found valid a moment ago, at once and without passport.
   * @returns undefined for one that `validate` has to look up
   */
  recognise(credential: string): Principal | undefined {
    // A token of the configuration may look like an access token.
    const principal =
      (isJwt(credential) ? this.accessTokens.recognise(credential) : undefined) ?? this.tokens.recognise(credential);
    if (principal) this.lookups.hits++;
    return principal;
  }

  /** @returns false, for passport, when the credential is not valid */
  async validate(credential: string): Promise<Principal | false> {
    this.lookups.misses++;
    const principal = isJwt(credential) ? await this.accessTokens.authenticate(credential) : undefined;
    return principal ?? (await this.tokens.authenticate(credential)) ?? false;
  }

  /** Whose a credential was that was just found not to be valid any more, if it was anybody's. */
  former(credential: string): RequestPrincipal | undefined {
    return this.tokens.former(credential);
  }

  /** Keeps the strategy out of passport's global registry, where the last server of a process would serve them all. */
  getPassportInstance(): passport.PassportStatic {
    return new passport.Authenticator() as passport.PassportStatic;
  }
}
