import type { WriteOptions } from '../http/query-parameters.js';
import type { RequestContext } from '../http/request-context.js';
import type { ChangeNote } from '../persistence/audit.js';
import type { View } from '../persistence/resource.repository.js';
import type { LinkChange, ScimResource } from '../scim/index.js';

/** A resource about to be written: its document, and the table's own columns. */
export interface Draft<E> {
  readonly resource: ScimResource;
  readonly columns: Partial<E>;
  /** A value that is stored as a hash only, which `secured` makes; absent where there is none, or it stays as it is. */
  readonly secret?: string;
  /** The names of attributes whose values are secret and change. */
  readonly secrets?: readonly string[];
}

/** The hashes that a request has made or verified, by the secret: each takes long, so there is one for all attempts. */
export type Hashes = Map<string, string>;

/** What a change makes of a resource. */
export interface Edited {
  readonly resource: ScimResource;
  readonly links: readonly LinkChange[];
}

/** A change of one resource. */
export interface Change<E> {
  readonly operation: ChangeNote['operation'];
  /** Makes the new resource of the stored one. It may be asked again, when another change comes first. */
  readonly edit: (current: E) => Edited;
  readonly options: Pick<WriteOptions, 'ifMatch'>;
  readonly view: View;
  readonly hashes: Hashes;
}

/** Whether no other resource may have this one's externalId. The empty string identifies nothing and may be shared. */
export const isExternalIdUnique = ({ settings }: RequestContext, { externalId }: ScimResource): boolean =>
  settings.uniqueExternalId && externalId !== '';
