import { validate as isUuid } from 'uuid';

/**
 * Whether a text can be the id of a resource. Ids are compared case-sensitively (RFC 7643 section 3.1); the database's
 * uuid type would not do that.
 */
export const isResourceId = (text: string): boolean => isUuid(text) && text === text.toLowerCase();
