// @ts-check
// Runs in a thread of its own, so it is what Node can load as it stands, in tests as well.
import { parentPort } from 'node:worker_threads';
import { checkJsonBounds } from '../scim/json-bounds.js';
import { JsonFault } from '../scim/json-fault.js';
import { checkJson, decodeJson } from '../scim/json-reader.js';
import { takeLinks } from '../scim/link-portions.js';

/**
 * A body to be read.
 * @typedef {object} JsonTask
 * @property {Uint8Array} bytes
 * @property {import('../scim/json-bounds.js').JsonBounds} bounds
 * @property {import('../scim/json-reader.js').JsonOptions} options
 */

/**
 * What became of it: a JSON text that JSON.parse reads, and the links that were taken out of it; or what is wrong with it.
 * @typedef {{ text: string, links: import('../scim/link-portions.js').LinksApart | undefined }} JsonRead
 * @typedef {{ row: 'invalidSyntax' | 'invalidValue' | 'payloadTooLarge', detail: string }} JsonRefused
 */

/** @param {JsonTask} task @returns {JsonRead} */
function read({ bytes, bounds, options }) {
  checkJsonBounds(bytes, bounds);
  const text = decodeJson(bytes);
  checkJson(text, options);
  if (!bounds.list) return { text, links: undefined };
  const value = JSON.parse(text);
  const links = takeLinks(value, bounds.list.name);
  return links ? { text: JSON.stringify(value), links } : { text, links };
}

parentPort?.on('message', (/** @type {JsonTask} */ task) => {
  try {
    parentPort?.postMessage(read(task));
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    parentPort?.postMessage({ row: error.row, detail: error.message });
  }
});
