import { Controller, Header, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Public } from '../http/public.js';
import { allScopes, type Scope } from '../http/scope.js';
import { FailedAuthentications } from '../limits/failed-authentications.js';
import { TenantLimits } from '../limits/tenant-limits.js';
import { suspensionRetrySeconds, tenantRecord } from '../tenants/tenant.js';
import { inOrder } from './claims.js';
import { OAuthClients, type AuthenticatedClient } from './oauth-clients.service.js';
import { OAuthError, OAuthErrorFilter } from './oauth-error.js';
import { OwnTokens } from './own-tokens.js';
import { readTokenRequest, type TokenRequest } from './token-request.js';

/** The answer with a token (RFC 6749 section 5.1). */
interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
}

const requestSchema = {
  type: 'object',
  required: ['grant_type'],
  properties: {
    grant_type: { type: 'string', enum: ['client_credentials'] },
    client_id: { type: 'string', description: 'Unless it comes as HTTP Basic.' },
    client_secret: { type: 'string', description: 'Unless it comes as HTTP Basic.' },
    scope: { type: 'string', description: 'Some of the client’s scopes, with spaces between.', example: 'read write' },
  },
};

const responseSchema = {
  type: 'object',
  required: ['access_token', 'token_type', 'expires_in', 'scope'],
  properties: {
    access_token: { type: 'string', description: 'A JSON Web Token (RFC 9068).' },
    token_type: { type: 'string', enum: ['Bearer'] },
    expires_in: { type: 'integer', description: 'Seconds.' },
    scope: { type: 'string' },
  },
};

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string' }, error_description: { type: 'string' } },
};

const refused = (status: number, description: string): MethodDecorator =>
  ApiResponse({ status, description, content: { 'application/json': { schema: errorSchema } } });

/** The token endpoint (RFC 6749 section 3.2), for clients that authenticate themselves (section 4.4). */
@ApiTags('OAuth')
@Public()
@UseFilters(OAuthErrorFilter)
@Controller('oauth')
export class TokenController {
  constructor(
    private readonly clients: OAuthClients,
    private readonly tokens: OwnTokens,
    private readonly failures: FailedAuthentications,
    private readonly limits: TenantLimits,
  ) {}

  @Post('token')
  @HttpCode(200)
  @Header('Pragma', 'no-cache')
  @ApiOperation({
    summary: 'An access token for client credentials',
    description: 'They come in the body, as here, or as HTTP Basic.',
  })
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiBody({ schema: requestSchema })
  @ApiOkResponse({ description: 'The token.', content: { 'application/json': { schema: responseSchema } } })
  @refused(400, 'The request is wrong.')
  @refused(401, 'The client is unknown, or its secret is wrong.')
  @refused(413, 'The body is too large.')
  @refused(429, 'Too many requests; Retry-After says when to try again.')
  @refused(503, 'The tenant is suspended; Retry-After says when to try again.')
  async issue(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<TokenResponse> {
    const asked = await readTokenRequest(request);
    const { client, until } = await this.authenticate(request, response, asked);
    const { jwt, expiresIn, scopes } = await this.tokens.sign(client, narrow(client.scopes, asked.scope), until);
    return { access_token: jwt, token_type: 'Bearer', expires_in: expiresIn, scope: scopes.join(' ') };
  }

  private async authenticate(
    request: Request,
    response: Response,
    { clientId, clientSecret }: TokenRequest,
  ): Promise<AuthenticatedClient> {
    const { addressedTenant } = request;
    const credential = `${addressedTenant ?? ''} ${clientId}:${clientSecret}`;
    const known = await this.failures.lookUp(request, credential, async () => {
      const found = await this.clients.authenticate(clientId, clientSecret);
      const tenant = found?.client.tenant && tenantRecord(found.client.tenant);
      const isElsewhere = addressedTenant !== undefined && addressedTenant !== tenant?.name;
      return found && tenant && !isElsewhere ? { found, tenant } : undefined;
    });
    if (!known) throw new OAuthError('invalid_client', 'The client is unknown, or its secret is wrong or has expired.');
    const { found, tenant } = known;
    this.limits.admit(tenant, response);
    if (tenant.state === 'suspended') {
      throw new OAuthError('temporarily_unavailable', 'The tenant is suspended; try again later.', {
        headers: { 'Retry-After': String(suspensionRetrySeconds) },
      });
    }
    return found;
  }
}

/** The scopes that a client asks for, all it has unless it names some (RFC 6749 section 3.3). @throws OAuthError invalid_scope */
function narrow(allowed: readonly Scope[], asked: string | undefined): Scope[] {
  if (asked === undefined) return inOrder(allowed);
  const names = asked.split(' ').filter((name) => name !== '');
  const scopes = allScopes.filter((scope) => names.includes(scope) && allowed.includes(scope));
  if (names.length === 0 || names.some((name) => !(scopes as readonly string[]).includes(name))) {
    throw new OAuthError('invalid_scope', `The client can have these scopes: ${allowed.join(' ')}.`);
  }
  return scopes;
}
