/** The name of an attribute or sub-attribute, optionally qualified by a schema URI (RFC 7644 section 3.10). */
export interface AttrPath {
  /** The schema URI before the last colon. It holds no brackets, which filters and PATCH paths give a meaning. */
  readonly uri?: string;
  readonly name: string;
  readonly sub?: string;
}

const attrName = /^(?:[a-z][a-z0-9_-]*|\$ref)$/i;
const uriText = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~%!$&'*+,;=@/:-]+$/;

/**
 * Parses an attribute path. The URI ends at the last colon, because schema URIs such as "…:2.0:User" contain dots.
 *
 *     attrPath = [URI ":"] ATTRNAME *1subAttr
 *     ATTRNAME = ALPHA *(nameChar)
 *     nameChar = "-" / "_" / DIGIT / ALPHA
 *     subAttr  = "." ATTRNAME
 *
 * `$ref` is a name too: RFC 7643 section 2.4 defines it although the ABNF forgets the "$".
 * The URI of a whole schema parses as well: its last segment becomes the name.
 *
 * @returns undefined when the text is not an attribute path
 */
export function parseAttrPath(text: string): AttrPath | undefined {
  const colon = text.lastIndexOf(':');
  const uri = colon < 0 ? undefined : text.slice(0, colon);
  const names = text.slice(colon + 1).split('.');
  const [name, sub] = names;
  if (names.length > 2 || name === undefined || !attrName.test(name)) return undefined;
  if (sub !== undefined && !attrName.test(sub)) return undefined;
  if (uri !== undefined && !uriText.test(uri)) return undefined;
  return { ...(uri === undefined ? {} : { uri }), name, ...(sub === undefined ? {} : { sub }) };
}

/** Writes an attribute path as text; the inverse of `parseAttrPath`. */
export function printAttrPath(path: AttrPath): string {
  return `${path.uri === undefined ? '' : `${path.uri}:`}${path.name}${path.sub === undefined ? '' : `.${path.sub}`}`;
}
