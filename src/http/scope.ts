import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** What credentials can allow: to read, to change, and to send bulk requests. */
export const allScopes = ['read', 'write', 'bulk'] as const;
export type Scope = (typeof allScopes)[number];

/** The metadata that `Needs` leaves. */
export const scopesKey = 'rollcall:scopes';

/** Says which scopes a handler needs, where its method does not: `read` for GET and HEAD, `write` for all others. */
export const Needs = (...scopes: Scope[]): CustomDecorator => SetMetadata(scopesKey, scopes);
