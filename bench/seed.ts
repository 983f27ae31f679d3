import { Pool } from 'undici';

/** What was seeded. */
export interface Seeded {
  readonly userIds: readonly string[];
  /** Groups by their number of members. */
  readonly groups: ReadonlyMap<number, string>;
}

const operationsAtOnce = 500;

/** The userName of the user with this number. */
export const userName = (number: number): string => `User.${number}@example.com`;

/** Fills a tenant through the API: users by bulk requests, and groups of several sizes. */
export async function seed(
  origin: string,
  headers: Readonly<Record<string, string>>,
  users: number,
  groupSizes: readonly number[],
): Promise<Seeded> {
  const pool = new Pool(origin, { connections: 4, headersTimeout: 600_000, bodyTimeout: 600_000 });
  const send = async <T>(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<T> => {
    const answer = await pool.request({ method, path: `/scim/v2${path}`, headers, body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  const userIds: string[] = [];
  for (let first = 0; first < users; first += operationsAtOnce) {
    const numbers = Array.from({ length: Math.min(operationsAtOnce, users - first) }, (_, index) => first + index);
    const Operations = numbers.map((number) => ({
      method: 'POST',
      path: '/Users',
      bulkId: String(number),
      data: user(number),
    }));
    const answer = await send<{ Operations: { location: string; status: string }[] }>('POST', '/Bulk', { Operations });
    userIds.push(...answer.Operations.map(({ location }) => location.slice(location.lastIndexOf('/') + 1)));
  }
  const groups = new Map<number, string>();
  for (const size of groupSizes) {
    const members = userIds.slice(0, size).map((value) => ({ value }));
    const { id } = await send<{ id: string }>('POST', '/Groups?excludedAttributes=members', {
      displayName: `Group of ${size}`,
      members,
    });
    groups.set(size, id);
  }
  await pool.close();
  return { userIds, groups };
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
