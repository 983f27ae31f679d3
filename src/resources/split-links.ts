import {
  readLinks,
  type LinkChange,
  type Profile,
  type ReadResource,
  type ResourceSchema,
  type ScimResource,
} from '../scim/index.js';

/** The links that a body lists. */
type LinkSet = Extract<LinkChange, { kind: 'add' | 'replaceAll' }>;

/**
 * Parts links, such as members, from what the document stores. Those that the body leaves out count as empty.
 * @throws ScimError invalidValue for an element without the id of a resource
 */
export function splitLinks(
  { resource }: ReadResource,
  schema: ResourceSchema,
  profile: Profile,
  kind: LinkSet['kind'],
): { resource: ScimResource; links: LinkSet[] } {
  const rest = { ...resource };
  const links: LinkSet[] = [];
  for (const attribute of schema.attributes) {
    if (!attribute.linksTo) continue;
    const given = rest[attribute.name];
    delete rest[attribute.name];
    links.push({ kind, links: given === undefined ? [] : readLinks(attribute, given, profile, attribute.name) });
  }
  return { resource: rest, links };
}
