// @ts-check

/**
 * Quotes client input for use in a detail: as a JSON string, so control characters are escaped, cut at 80 characters.
 * @param {unknown} input
 * @returns {string}
 */
export function quote(input) {
  const text = typeof input === 'string' ? input : (JSON.stringify(input) ?? String(input));
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
