// @ts-check

/**
 * Some elements of a long list of links, such as members. Most say no more than which resources they link: `ids` has
 * their ids and `types` the types they claim, "" where there is none, with a line for each. What says anything else is
 * left as it is, as `json`, the text of an array.
 * @typedef {{ ids: string, types: string } | { json: string }} LinkPortion
 */

/**
 * What was taken out of a message because it is so long.
 * @typedef {object} LinksApart
 * @property {string} name its key
 * @property {number} portionLength how many elements each portion has, but for the last
 * @property {LinkPortion[]} portions
 */

/** So many take a few milliseconds to read, whatever they hold. */
const portionLength = 500;

/**
 * Takes a long list of links out of a message and packs it, so that another thread gets it without making an object for
 * each element.
 * @param {unknown} value the message; its list is replaced by an empty one
 * @param {string} name the list's key, in lower case
 * @returns {LinksApart | undefined} undefined where there is no such list
 */
export function takeLinks(value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const message = /** @type {Record<string, unknown>} */ (value);
  const key = Object.keys(message).find((given) => given.toLowerCase() === name);
  const elements = key === undefined ? undefined : message[key];
  if (key === undefined || !Array.isArray(elements) || elements.length === 0) return undefined;
  message[key] = [];
  const portions = [];
  for (let at = 0; at < elements.length; at += portionLength) {
    portions.push(pack(elements.slice(at, at + portionLength)));
  }
  return { name: key, portionLength, portions };
}

/** @param {unknown[]} elements @returns {LinkPortion} */
function pack(elements) {
  const ids = [];
  const types = [];
  for (const element of elements) {
    if (!isPlain(element)) return { json: JSON.stringify(elements) };
    ids.push(element.value);
    types.push(element.type ?? '');
  }
  return { ids: ids.join('\n'), types: types.join('\n') };
}

const lastSegment = /\/([^/?#]+)\/?$/;

/**
 * Whether an element says nothing but which resource it links, in words that need no further reading.
 * @param {unknown} element
 * @returns {element is { value: string, type?: string | null }}
 */
function isPlain(element) {
  if (typeof element !== 'object' || element === null) return false;
  for (const [name, given] of Object.entries(element)) {
    if (name === 'display' || given === null) continue;
    if (name !== 'value' && name !== 'type' && name !== '$ref') return false;
    if (typeof given !== 'string' || given === '' || given.length > 1_024 || given.includes('\n')) return false;
  }
  const { value, $ref } = /** @type {{ value?: string | null, $ref?: string | null }} */ (element);
  return typeof value === 'string' && ($ref == null || lastSegment.exec($ref)?.[1] === value);
}
