import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { JSONWebKeySet } from 'jose';
import { Config } from '../config.js';
import { Public } from '../http/public.js';
import { allScopes } from '../http/scope.js';
import { SigningKeys } from './signing-keys.js';

const json = (description: string): MethodDecorator =>
  ApiOkResponse({ description, content: { 'application/json': { schema: { type: 'object' } } } });

// Well within the day that a key is published before it signs.
const cacheable = Header('Cache-Control', 'public, max-age=300');

/** What others need to know of the token endpoint and its tokens. */
@ApiTags('OAuth')
@Public()
@Controller()
export class OAuthMetadataController {
  constructor(
    private readonly keys: SigningKeys,
    private readonly config: Config,
  ) {}

  @Get('oauth/jwks')
  @cacheable
  @ApiOperation({ summary: 'The public keys of our access tokens (RFC 7517)' })
  @json('The keys.')
  async jwks(): Promise<JSONWebKeySet> {
    return { keys: await this.keys.published() };
  }

  @Get('.well-known/oauth-authorization-server')
  @cacheable
  @ApiOperation({ summary: 'Where the token endpoint is and what it can do (RFC 8414)' })
  @json('The metadata.')
  metadata(): object {
    const { publicUrl } = this.config;
    return {
      issuer: publicUrl,
      token_endpoint: `${publicUrl}/oauth/token`,
      jwks_uri: `${publicUrl}/oauth/jwks`,
      scopes_supported: allScopes,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      service_documentation: `${publicUrl}/docs`,
    };
  }
}
