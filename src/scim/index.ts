/** The public surface of the protocol core. Code outside this folder imports from here only. */
export { errorMessage, listResponse, messageUrn, type ErrorMessage, type ListResponse } from './messages.js';
export { quote, rowForStatus, ScimError, scimErrorNames, type ScimErrorName } from './errors.js';
export { checkJsonBounds, checkText, decodeUtf8, parseJson } from './json.js';
export { readBulkRequest, type BulkMethod, type BulkOperation, type BulkRequest } from './bulk/bulk-request.js';
export { referenceOf, referencesIn, resolveReferences, splitWaiting } from './bulk/references.js';
export { instant } from './date-time.js';
export { etag, matchesEtag } from './etag.js';
export { limits } from './limits.js';
export { operationData, readPatch, type PatchOperation } from './patch/operation.js';
export { applyPatch, type PatchResult } from './patch/apply.js';
export { readLinkPortion, readLinks, type Link, type LinkChange } from './patch/links.js';
export { keepLinksApart, linksApartOf } from './links-apart.js';
export type { LinkPortion, LinksApart } from './link-portions.js';
export type { JsonBounds } from './json-bounds.js';
export type { JsonOptions } from './json-reader.js';
export { profiles, type Profile, type ProfileName } from './profile.js';
export { Projection } from './project/projection.js';
export { namesPersonal } from './filter/personal.js';
export { readPage, type Page } from './page.js';
export { defaultSettings, settingBounds, settingChoices, settingsFrom, type TenantSettings } from './settings.js';
export { readSearchRequest, type ProjectionRequest, type SearchRequest } from './search-request.js';
export { readSort, type Sort } from './sort.js';
export {
  isJsonObject,
  isUnassigned,
  sameJson,
  textOf,
  type JsonObject,
  type JsonValue,
  type ScimResource,
} from './resource.js';
export { mapUsername } from './precis.js';
export { parseFilter } from './filter/parser.js';
export { printFilter } from './filter/print.js';
export type { CompareOp, Filter } from './filter/ast.js';
export { bindFilter, leaf, type BindOptions, type BoundFilter } from './filter/bind.js';
export { evaluate } from './filter/evaluate.js';
export { foldCase, foldResource } from './filter/fold.js';
export { checkImmutable } from './validate/mutability.js';
export { readResource, withSchemas, type ReadResource } from './validate/validate.js';
export { coreRegistry, registryFor, groupResourceType, userResourceType } from './schema/core.js';
export { discoveryUrn, resourceTypeResource, schemaResource } from './schema/discovery.js';
export { enterpriseUserUrn } from './schema/enterprise-user.js';
export { groupUrn } from './schema/group.js';
export { ResourceSchema, SchemaRegistry, type AttributeTarget } from './schema/registry.js';
export type { Attribute, ResourceType, Schema } from './schema/schema.js';
export { userUrn } from './schema/user.js';
