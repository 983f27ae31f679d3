import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** The metadata that `Public` leaves. */
export const publicKey = 'rollcall:public';

/** Lets a controller or handler be used without credentials. Everything else needs them. */
export const Public = (): CustomDecorator => SetMetadata(publicKey, true);
