import { resourceTypeSchema, schemaSchema, serviceProviderConfigSchema } from './discovery.js';
import { enterpriseUserSchema, enterpriseUserUrn } from './enterprise-user.js';
import { groupSchema, groupUrn } from './group.js';
import { SchemaRegistry } from './registry.js';
import type { ResourceType } from './schema.js';
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

/** The registry of the schemas that RFC 7643 defines. */
export const coreRegistry = new SchemaRegistry(
  [userSchema, groupSchema, enterpriseUserSchema, serviceProviderConfigSchema, resourceTypeSchema, schemaSchema],
  [userResourceType, groupResourceType],
);
