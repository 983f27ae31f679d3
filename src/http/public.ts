import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** The metadata that `Public` and `OptionalCredentials` leave. */
export const publicKey = 'rollcall:public';

/** Lets a controller or handler be used without credentials, and does not look at any. Everything else needs them. */
export const Public = (): CustomDecorator => SetMetadata(publicKey, 'public');

/** Lets a controller or handler be used without credentials; with good ones it has the request's context. */
export const OptionalCredentials = (): CustomDecorator => SetMetadata(publicKey, 'optional');
