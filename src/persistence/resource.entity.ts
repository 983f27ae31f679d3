import { Column, PrimaryColumn } from 'typeorm';
import { validate as isUuid } from 'uuid';
import type { JsonObject, ScimResource } from '../scim/index.js';

/**
 * Whether a text can be the id of a resource. Ids are compared case-sensitively (RFC 7643 section 3.1); the database's
 * uuid type would not do that.
 */
export const isResourceId = (text: string): boolean => isUuid(text) && text === text.toLowerCase();

/** The columns that every resource table has. */
export abstract class ResourceEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: string;

  /** A UUID of version 7, so that the order of ids is the order of creation. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text', { name: 'external_id', nullable: true })
  externalId!: string | null;

  /** Whether no other resource of the type may have this externalId. */
  @Column({ type: 'boolean', name: 'external_id_unique', select: false })
  externalIdUnique!: boolean;

  /** What clients set, in canonical spelling, with `schemas` and `id`; no meta, and no links to other resources. */
  @Column({ type: 'json' })
  document!: ScimResource;

  /** The document as filters and sorting see it. */
  @Column({ type: 'jsonb', select: false })
  folded!: JsonObject;

  /** The number of changes the resource has seen, from 1. */
  @Column('integer')
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'last_modified_at', precision: 3 })
  lastModifiedAt!: Date;
}
