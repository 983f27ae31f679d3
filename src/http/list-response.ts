import { messageUrn } from '../scim/index.js';
import type { ResourcePage, ResourceText } from './representation.js';

/** A ListResponse message (RFC 7644 section 3.4.2) of a page that is one text. Resources' texts are passed on as they are. */
export function listResponse({ texts, totalResults, place }: ResourcePage): string {
  const head = { schemas: [messageUrn.listResponse], totalResults, ...place, itemsPerPage: texts.length };
  const start = `${JSON.stringify(head).slice(0, -1)},"Resources":[`;
  const [first = '', ...others] = texts;
  // The ends are joined with the rest, because a long text that is added to is copied once more.
  const last = others.pop();
  return last === undefined ? `${start}${first}]}` : [start + first, ...others, `${last}]}`].join();
}

/**
 * A ListResponse message of a page that is too large for one text, in parts. How many resources it has, and where the next
 * page begins, comes last, because it is known last.
 * @param resources the page's `long`
 */
export async function* longListResponse(
  { totalResults, place }: ResourcePage,
  resources: AsyncIterator<ResourceText, string | undefined>,
): AsyncGenerator<string> {
  const head = { schemas: [messageUrn.listResponse], totalResults, ...place };
  let separator = `${JSON.stringify(head).slice(0, -1)},"Resources":[`;
  let itemsPerPage = 0;
  let next = await resources.next();
  for (; !next.done; next = await resources.next()) {
    itemsPerPage++;
    if (typeof next.value === 'string') yield separator + next.value;
    else {
      yield separator;
      yield* next.value;
    }
    separator = ',';
  }
  const { value: nextCursor } = next;
  yield `${itemsPerPage === 0 ? separator : ''}],${JSON.stringify({ itemsPerPage, nextCursor }).slice(1)}`;
}
