import { setImmediate as turn } from 'node:timers/promises';
import { TextInParts } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import type { LargeResource, ResourceRepository, View } from '../persistence/resource.repository.js';
import { type JsonObject, type JsonValue, type Projection, type ResourceSchema } from '../scim/index.js';

/** A resource type that is searched. */
export interface Searched {
  readonly schema: ResourceSchema;
  readonly repository: ResourceRepository<ResourceEntity>;
}

/** A resource type that is searched, and what is answered of its resources. */
export interface SearchedPart extends Searched {
  readonly projection: Projection;
}

/** How the resources of a part of a search are represented. */
export const viewOf = ({ baseUrl }: Pick<RequestContext, 'baseUrl'>, { projection }: SearchedPart): View => ({
  baseUrl,
  wants: (name) => projection.wants(name),
});

/** Characters of text that are projected in one go; others have their turn in between. */
const atOnce = 500_000;
/** What is in memory of a large resource that is sent in parts: the ids of its values, and some of the values. */
const largeResourceBytes = 4_000_000;

/** The JSON text that is answered of a resource's complete one. */
export const projectText = (projection: Projection, json: string): string =>
  projection.isIdentity ? json : JSON.stringify(projection.apply(JSON.parse(json) as JsonObject));

/**
 * Projects each resource by its own type. What is in memory for long is held in the tenant's name.
 * @throws ScimError tooManyRequests or unavailable, with Retry-After, when too much is held
 */
export async function projectTexts(
  ctx: Pick<RequestContext, 'hold'>,
  parts: readonly SearchedPart[],
  texts: readonly string[],
): Promise<readonly string[]> {
  if (parts.every(({ projection }) => projection.isIdentity)) return texts;
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length <= atOnce) return texts.map((text) => projectOne(parts, text));
  const held = ctx.hold(length);
  try {
    return await projectInTurns(parts, texts);
  } finally {
    held.release();
  }
}

/** Projects each resource by its own type, and gives others their turn now and then. */
export async function projectInTurns(parts: readonly SearchedPart[], texts: readonly string[]): Promise<string[]> {
  const projected: string[] = [];
  let length = 0;
  for (const text of texts) {
    length += text.length;
    if (length > atOnce) {
      await turn();
      length = text.length;
    }
    projected.push(projectOne(parts, text));
  }
  return projected;
}

function projectOne(parts: readonly SearchedPart[], text: string): string {
  const resource = JSON.parse(text) as JsonObject & { meta: { resourceType: string } };
  const part = parts.find(({ schema }) => schema.name === resource.meta.resourceType);
  return JSON.stringify(part?.projection.apply(resource));
}

/** The JSON text that is answered of a resource that is too large for one text. */
export function largeText(large: LargeResource, projection: Projection): TextInParts {
  return new TextInParts(largeParts(large, projection), largeResourceBytes);
}

async function* largeParts({ json, attribute, values }: LargeResource, projection: Projection): AsyncGenerator<string> {
  const start = projectText(projection, json).slice(0, -1);
  yield start;
  const first = `${start === '{' ? '' : ','}${JSON.stringify(attribute)}:[`;
  let isBegun = false;
  for await (const some of values) {
    const text = projection.isIdentity ? some : projectValues(projection, attribute, some);
    if (text === '') continue;
    yield (isBegun ? ',' : first) + text;
    isBegun = true;
  }
  yield isBegun ? ']}' : '}';
}

/** What is answered of some values; empty where that is nothing. */
function projectValues(projection: Projection, attribute: string, values: string): string {
  const projected = projection.apply({ [attribute]: JSON.parse(`[${values}]`) as JsonValue })[attribute];
  return projected === undefined ? '' : JSON.stringify(projected).slice(1, -1);
}
