import type { ErrorMessage, JsonObject, JsonValue } from '../../src/scim/index.js';

/** What a server answered. */
export interface Answer<B = JsonObject> {
  readonly status: number;
  readonly headers: Headers;
  /** The body as text, and parsed when there is one. */
  readonly text: string;
  readonly body: B;
}

/** A resource as a client reads it. */
export interface Resource extends JsonObject {
  schemas: string[];
  id: string;
  meta: { resourceType: string; created: string; lastModified: string; location: string; version: string };
}

/** A page of resources as a client reads it. */
export interface List<R = Resource> {
  schemas: string[];
  totalResults: number;
  startIndex: number;
  itemsPerPage: number;
  Resources: R[];
}

/** What a request carries beside its method and path. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the client's own token; null sends none. */
  readonly token?: string | null;
}

/** A SCIM client over real HTTP. */
export class ScimClient {
  /**
   * @param baseUrl where paths start, such as http://127.0.0.1:1234/scim/v2
   * @param token the bearer token it sends
   */
  constructor(
    readonly baseUrl: string,
    readonly token: string,
  ) {}

  get<B = Resource>(path: string, options: RequestOptions = {}): Promise<Answer<B>> {
    return this.send<B>('GET', path, undefined, options);
  }

  list<R = Resource>(path: string, options: RequestOptions = {}): Promise<Answer<List<R>>> {
    return this.send<List<R>>('GET', path, undefined, options);
  }

  post<B = Resource>(path: string, body: JsonValue, options: RequestOptions = {}): Promise<Answer<B>> {
    return this.send<B>('POST', path, JSON.stringify(body), options);
  }

  put<B = Resource>(path: string, body: JsonValue, options: RequestOptions = {}): Promise<Answer<B>> {
    return this.send<B>('PUT', path, JSON.stringify(body), options);
  }

  patch<B = Resource>(path: string, body: JsonValue, options: RequestOptions = {}): Promise<Answer<B>> {
    return this.send<B>('PATCH', path, JSON.stringify(body), options);
  }

  delete<B = ErrorMessage>(path: string, options: RequestOptions = {}): Promise<Answer<B>> {
    return this.send<B>('DELETE', path, undefined, options);
  }

  /** Sends PATCH operations in their envelope. */
  operations<B = Resource>(path: string, Operations: JsonValue[], options: RequestOptions = {}): Promise<Answer<B>> {
    return this.patch<B>(path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations }, options);
  }

  /** Sends a body as it is. A path that starts with "http" is a whole URL. */
  async send<B>(
    method: string,
    path: string,
    body: string | Uint8Array<ArrayBuffer> | undefined,
    { headers = {}, token = this.token }: RequestOptions = {},
  ): Promise<Answer<B>> {
    const response = await fetch(path.startsWith('http') ? path : this.baseUrl + path, {
      method,
      headers: {
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/scim+json' }),
        Accept: 'application/scim+json',
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) as B };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
