import { Pool } from 'undici';

const operationsAtOnce = 500;

/** The userName of the user with this number. */
export const userName = (number: number | string): string => `User.${number}@example.com`;

/** Writes to a server's SCIM API. */
export class Seeder {
  private readonly pool: Pool;

  /** @param origin the server's */
  constructor(
    origin: string,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.pool = new Pool(origin, { connections: 4, headersTimeout: 600_000, bodyTimeout: 600_000 });
  }

  /** @throws Error when the answer is not 2xx */
  async send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const options = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await this.pool.request({ method, path: `/scim/v2${path}`, headers: this.headers, ...options });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Creates users numbered from 0, by bulk requests. */
  async users(count: number): Promise<void> {
    for (let first = 0; first < count; first += operationsAtOnce) {
      const numbers = Array.from({ length: Math.min(operationsAtOnce, count - first) }, (_, index) => first + index);
      const Operations = numbers.map((number) => ({
        method: 'POST',
        path: '/Users',
        bulkId: String(number),
        data: user(number),
      }));
      const answer = await this.send<{ Operations: { status: string }[] }>('POST', '/Bulk', { Operations });
      const failed = answer.Operations.find(({ status }) => status !== '201');
      if (failed) throw new Error(JSON.stringify(failed));
    }
  }

  /** Creates a group with these members. @returns its id */
  async group(displayName: string, memberIds: readonly string[]): Promise<string> {
    const members = memberIds.map((value) => ({ value }));
    const body = { displayName, members };
    return (await this.send<{ id: string }>('POST', '/Groups?excludedAttributes=members', body)).id;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

/** A user such as identity providers send. */
export function user(number: number | string): object {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: typeof number === 'number' ? userName(number) : number,
    externalId: `ext-${number}`,
    name: { givenName: 'Given', familyName: `Family ${number}` },
    displayName: `Given Family ${number}`,
    active: true,
    title: 'Engineer',
    emails: [
      { value: `user.${number}@example.com`, type: 'work', primary: true },
      { value: `user.${number}@home.example`, type: 'home' },
    ],
    phoneNumbers: [{ value: `+1 555 ${number}`, type: 'work' }],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: `D${Number(number) % 50 || 0}` },
  };
}
