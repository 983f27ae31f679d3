import { Injectable } from '@nestjs/common';
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { RequestContext } from '../http/request-context.js';
import type { Position } from '../persistence/page.js';
import { SecretKeys } from '../persistence/secret-keys.js';
import { limits, ScimError, type SearchRequest } from '../scim/index.js';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
// What the longest sort key makes, of which JSON may escape every character.
const longestCursor = 8 * limits.indexedLength + 1024;

/** What a cursor holds: when it ends (seconds since 1970), the page size it was made with, and where the page ended. */
type Content = readonly [expires: number, count: number, source: number, id: string, key: string | null];

/**
 * Makes and reads the cursors of RFC 9865. A cursor is a place in the list, encrypted because sort keys are personal
 * data, and authenticated for one tenant and one query, so the server keeps nothing between pages.
 */
@Injectable()
export class Cursors {
  constructor(private readonly keys: SecretKeys) {}

  /** @returns text of URL-unreserved characters only (RFC 9865 section 2) */
  async seal(
    ctx: RequestContext,
    scope: string,
    search: SearchRequest,
    count: number,
    after: Position,
  ): Promise<string> {
    const expires = Math.floor(Date.now() / 1000) + limits.cursorSeconds;
    const content: Content = [expires, count, after.source, after.id, after.key];
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, await this.keys.get('cursor'), nonce).setAAD(boundTo(ctx, scope, search));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /**
   * @throws ScimError invalidCursor for a cursor that is forged, another tenant's, or of another query; expiredCursor;
   *   invalidCount when the count is not the first page's
   */
  async open(ctx: RequestContext, scope: string, search: SearchRequest, count: number): Promise<Position> {
    const content = await this.decrypt(ctx, scope, search);
    if (!content) throw new ScimError('invalidCursor');
    const [expires, firstCount, source, id, key] = content;
    if (expires * 1000 <= Date.now()) throw new ScimError('expiredCursor');
    if (firstCount !== count) {
      throw new ScimError('invalidCount', `The first page had count=${firstCount}; every page must have the same.`);
    }
    return { source, id, key };
  }

  private async decrypt(ctx: RequestContext, scope: string, search: SearchRequest): Promise<Content | undefined> {
    const text = search.cursor ?? '';
    const bytes = Buffer.from(text, 'base64url');
    // Decoding passes over what is not base64url, so one cursor would have many spellings.
    if (text.length > longestCursor || bytes.toString('base64url') !== text) return undefined;
    if (bytes.length <= nonceBytes + tagBytes) return undefined;
    const decipher = createDecipheriv(algorithm, await this.keys.get('cursor'), bytes.subarray(0, nonceBytes))
      .setAAD(boundTo(ctx, scope, search))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const opened = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
      return JSON.parse(opened.toString('utf8')) as Content;
    } catch {
      return undefined;
    }
  }
}

/** Everything that must be as it was on the first page: tenant, endpoint and all parameters but cursor and count. */
function boundTo({ tenant }: RequestContext, scope: string, search: SearchRequest): Buffer {
  const { filter, sortBy, sortOrder, attributes, excludedAttributes } = search;
  const query = JSON.stringify([tenant.id, scope, filter, sortBy, sortOrder, attributes, excludedAttributes]);
  return createHash('sha256').update(query).digest();
}
