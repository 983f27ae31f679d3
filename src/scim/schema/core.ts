import { resourceTypeSchema, schemaSchema, serviceProviderConfigSchema } from './discovery.js';
import { enterpriseUserSchema, enterpriseUserUrn } from './enterprise-user.js';
import { groupSchema, groupUrn } from './group.js';
import { SchemaRegistry } from './registry.js';
import type { TenantSettings } from '../settings.js';
import type { ResourceType, Schema } from './schema.js';
import { userSchema, userUrn } from './user.js';

/** The User resource type (RFC 7643 section 8.6). */
export const userResourceType: ResourceType = {
  name: 'User',
  description: 'User Account',
  endpoint: '/Users',
  schema: userUrn,
  schemaExtensions: [{ schema: enterpriseUserUrn, required: false }],
};

/** The Group resource type (RFC 7643 section 8.6). */
export const groupResourceType: ResourceType = {
  name: 'Group',
  description: 'Group',
  endpoint: '/Groups',
  schema: groupUrn,
  schemaExtensions: [],
};

/** Group names as a tenant may have them: one group each (RFC 7643 section 7, uniqueness). */
const uniqueGroupSchema: Schema = {
  ...groupSchema,
  attributes: groupSchema.attributes.map((attribute) =>
    attribute.name === 'displayName' ? { ...attribute, uniqueness: 'server' } : attribute,
  ),
};

/** The registry of the schemas that RFC 7643 defines. */
export const coreRegistry = registryWith(groupSchema);
const uniqueGroupsRegistry = registryWith(uniqueGroupSchema);

/** The registry that is true for a tenant's settings. */
export const registryFor = ({
  uniqueGroupDisplayName,
}: Pick<TenantSettings, 'uniqueGroupDisplayName'>): SchemaRegistry =>
  uniqueGroupDisplayName ? uniqueGroupsRegistry : coreRegistry;

function registryWith(group: Schema): SchemaRegistry {
  return new SchemaRegistry(
    [userSchema, group, enterpriseUserSchema, serviceProviderConfigSchema, resourceTypeSchema, schemaSchema],
    [userResourceType, groupResourceType],
  );
}
