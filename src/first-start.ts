import type { INestApplication } from '@nestjs/common';
import { TokensService } from './auth/tokens.service.js';
import type { Config } from './config.js';
import { TenantsService } from './tenants/tenants.service.js';

/**
 * Makes sure there is a default tenant that a client can use: with the token of the configuration, or with a first token
 * of its own.
 * @returns the secret of the first token, when it was made just now
 */
export async function prepareDefaultTenant(app: INestApplication, { scimToken }: Config): Promise<string | undefined> {
  const tenant = await app.get(TenantsService).ensureDefault();
  const tokens = app.get(TokensService);
  if (scimToken === undefined) return tokens.issueFirst(tenant);
  await tokens.configure(tenant, scimToken);
  return undefined;
}
