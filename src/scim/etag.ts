/**
 * The weak entity tag of a resource's version (RFC 7644 section 3.14).
 * @param version the number of changes the resource has seen, from 1
 */
export function etag(version: number): string {
  return `W/"${version}"`;
}

/** The opaque part of an entity tag, or the text itself when it is no tag. */
const opaque = (tag: string): string => /^(?:W\/)?"(.*)"$/.exec(tag)?.[1] ?? tag.replace(/^W\//, '');

/**
 * Whether an If-Match or If-None-Match header names a version (RFC 9110 section 13.1). Weak tags match in both, because
 * RFC 7644 section 3.14 sends them in If-Match; unquoted tags are read leniently.
 * @param header a tag, a comma-separated list of tags, or "*" for any version
 */
export function matchesEtag(header: string, version: number): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => opaque(tag.trim()) === String(version));
}
