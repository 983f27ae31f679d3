import type { LinksApart } from './link-portions.js';
import type { JsonValue } from './resource.js';

const kept = new WeakMap<object, LinksApart>();

/** Keeps beside a body what was taken out of it. */
export function keepLinksApart(body: JsonValue, links: LinksApart): void {
  kept.set(body as object, links);
}

/** The links that were taken out of a body because they are so many; its own list of them is then empty. */
export function linksApartOf(body: JsonValue): LinksApart | undefined {
  return typeof body === 'object' && body !== null ? kept.get(body) : undefined;
}
