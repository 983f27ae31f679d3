import { setImmediate as others } from 'node:timers/promises';
import {
  linksApartOf,
  readLinkPortion,
  readLinks,
  type JsonValue,
  type Link,
  type LinkChange,
  type LinkPortion,
  type LinksApart,
  type Profile,
  type ReadResource,
  type ResourceSchema,
  type ScimResource,
} from '../scim/index.js';

/** The links that a body lists. */
type LinkSet = Extract<LinkChange, { kind: 'add' | 'replaceAll' }>;

/** How a body's links are read. */
interface Reading {
  /** The body, whose links may be kept apart. */
  readonly body: JsonValue;
  readonly schema: ResourceSchema;
  readonly profile: Profile;
  readonly kind: LinkSet['kind'];
}

/**
 * Parts links, such as members, from what the document stores. Those that the body leaves out count as empty. Very many
 * are read in portions, and other requests have their turn between two.
 * @throws ScimError invalidValue for an element without the id of a resource
 */
export async function splitLinks(
  { resource }: ReadResource,
  { body, schema, profile, kind }: Reading,
): Promise<{ resource: ScimResource; links: LinkSet[] }> {
  const rest = { ...resource };
  const links: LinkSet[] = [];
  const apart = linksApartOf(body);
  for (const attribute of schema.attributes) {
    if (!attribute.linksTo) continue;
    const given = rest[attribute.name];
    delete rest[attribute.name];
    if (apart && schema.attribute(apart.name) === attribute) {
      const read = (portion: LinkPortion, at: number): Link[] => readLinkPortion(attribute, portion, profile, at);
      links.push({ kind, links: await readApart(apart, read) });
    } else {
      links.push({ kind, links: given === undefined ? [] : readLinks(attribute, given, profile, attribute.name) });
    }
  }
  return { resource: rest, links };
}

/** @returns one link for each distinct `value` */
async function readApart(
  { portions, portionLength }: LinksApart,
  read: (portion: LinkPortion, first: number) => Link[],
): Promise<Link[]> {
  const links = new Map<string, Link>();
  for (const [index, portion] of portions.entries()) {
    if (index > 0) await others();
    for (const link of read(portion, index * portionLength)) links.set(link.value, link);
  }
  return [...links.values()];
}
