import type { INestApplication } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { TokensService } from './auth/tokens.service.js';
import type { Config } from './config.js';
import { TenantsService } from './tenants/tenants.service.js';

/**
 * Makes sure that a client can use a default tenant: with the token of the configuration, or with a first token of its
 * own. Where there are other tenants and the default one was deleted or renamed, only the configuration brings it back.
 * @returns the secret of the first token, when it was made just now
 */
export async function prepareDefaultTenant(app: INestApplication, { scimToken }: Config): Promise<string | undefined> {
  const tenants = app.get(TenantsService);
  const tokens = app.get(TokensService);
  const author = { actor: 'config', requestId: uuid() };
  if (scimToken === undefined) {
    return (await tenants.needsDefault()) ? tokens.issueFirst(author, await tenants.ensureDefault(author)) : undefined;
  }
  await tokens.configure(author, await tenants.ensureDefault(author), scimToken);
  return undefined;
}
