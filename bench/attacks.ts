// What one tenant can do to the others, as attacks: each is prepared, and then goes on until it is ended.
import { randomBytes, randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

/** An attacker: a client of a tenant of its own. */
export interface Attacker {
  readonly origin: string;
  readonly token: string;
}

/** One way to hurt others. */
export interface Attack {
  /** Puts into the tenant what the attack needs. */
  readonly prepare?: (attacker: AttackerClient) => Promise<void>;
  /** One round, repeated until the attack is ended by several at once. Its requests may be refused or cut off. */
  readonly round: (attacker: AttackerClient, number: number) => Promise<void>;
  /** How many rounds go on at once. */
  readonly atOnce: number;
}

const stringLength = 65_000;
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const bulkUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

/** Sends an attacker's requests, and takes what comes back without keeping it. */
export class AttackerClient {
  private readonly pool: Pool;
  readonly notes = new Map<string, string>();

  constructor(readonly attacker: Attacker) {
    this.pool = new Pool(attacker.origin, { connections: 128, headersTimeout: 120_000, bodyTimeout: 120_000 });
  }

  /** Sends a request. @returns its status; 0 when the connection broke */
  async send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH',
    path: string,
    body?: string,
    token = this.attacker.token,
  ): Promise<number> {
    try {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
      const answer = await this.pool.request({
        method,
        path: `/scim/v2${path}`,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      await answer.body.dump({ limit: 2 ** 30 });
      return answer.statusCode;
    } catch {
      return 0;
    }
  }

  /** Sends a request that has to succeed, again while a limit refuses it. @returns the id of the resource */
  async create(path: string, body: object): Promise<string> {
    for (;;) {
      const headers = { authorization: `Bearer ${this.attacker.token}`, 'content-type': 'application/scim+json' };
      const answer = await this.pool.request({
        method: 'POST',
        path: `/scim/v2${path}`,
        headers,
        body: JSON.stringify(body),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 201) return (JSON.parse(text) as { id: string }).id;
      if (answer.statusCode !== 429 && answer.statusCode !== 503)
        throw new Error(`${path}: ${answer.statusCode} ${text}`);
      await delay(Number(answer.headers['retry-after'] ?? 1) * 1000);
    }
  }

  /** Opens a connection and writes the head of a request. */
  open(method: string, path: string, ...headers: readonly string[]): Socket {
    const { hostname, port } = new URL(this.attacker.origin);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => socket.destroy());
    const lines = [
      `${method} /scim/v2${path} HTTP/1.1`,
      'Host: attacker',
      `Authorization: Bearer ${this.attacker.token}`,
    ];
    socket.write([...lines, 'Content-Type: application/scim+json', ...headers, '', ''].join('\r\n'));
    return socket;
  }
}

const ended = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));

/** A user of some 715 KB. */
function fatUser(userName: string): object {
  const addresses = Array.from({ length: 11 }, (_, index) => ({
    type: `t${index}`,
    formatted: 'x'.repeat(stringLength),
  }));
  return { userName, addresses };
}

async function fatUsers(client: AttackerClient, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    client.notes.set('user', await client.create('/Users', fatUser(`fat${number}`)));
  }
}

async function manyMembers(client: AttackerClient, count: number): Promise<void> {
  const members: { value: string }[] = [];
  for (let first = 0; first < count; first += 500) {
    const Operations = Array.from({ length: Math.min(500, count - first) }, (_, index) => ({
      method: 'POST',
      path: '/Users',
      bulkId: `u${index}`,
      data: { userName: `member-${first + index}`, displayName: `Member of a large group ${first + index}` },
    }));
    members.push(...(await createAll(client, Operations)).map((value) => ({ value })));
  }
  client.notes.set(
    'group',
    await client.create('/Groups?excludedAttributes=members', { displayName: 'Large', members }),
  );
}

async function createAll({ attacker }: AttackerClient, Operations: readonly object[]): Promise<string[]> {
  for (;;) {
    const answer = await fetch(`${attacker.origin}/scim/v2/Bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${attacker.token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({ schemas: [bulkUrn], Operations }),
    });
    if (answer.status === 200) {
      const { Operations: done } = (await answer.json()) as { Operations: { location?: string }[] };
      return done.flatMap(({ location }) => (location === undefined ? [] : [location.slice(-36)]));
    }
    await answer.body?.cancel();
    await delay(Number(answer.headers.get('retry-after') ?? 1) * 1000);
  }
}

const filter = (text: string): string => `/Users?filter=${encodeURIComponent(text)}`;

/** The terms of a search that no index serves. */
const terms = Array.from({ length: 199 }, (_, index) => `addresses.formatted co "q${index}"`).join(' or ');

/** Every attack, by its name. */
export const attacks: Readonly<Record<string, Attack>> = {
  'lists of large users': {
    prepare: (client) => fatUsers(client, 200),
    round: async (client, number) =>
      void (await client.send('GET', number % 4 === 3 ? '/Users?count=200&attributes=userName' : '/Users?count=200')),
    atOnce: 8,
  },
  'unfinished bodies': {
    round: async (client) => {
      const socket = client.open('POST', '/Groups', 'Content-Length: 16000000');
      socket.write(Buffer.alloc(15 * 2 ** 20, ' '));
      await ended(socket);
    },
    atOnce: 64,
  },
  'one search of 8 KB': {
    prepare: (client) => fatUsers(client, 1),
    round: async (client) => {
      for (const length of [256, 7_900]) {
        await client.send('GET', filter(`userName eq "fat0" and addresses.formatted co "${'x'.repeat(length)}y"`));
      }
    },
    atOnce: 2,
  },
  'many slow searches': {
    prepare: (client) => fatUsers(client, 20),
    round: async (client) => void (await client.send('GET', filter(terms))),
    atOnce: 60,
  },
  'slow readers of a large group': {
    prepare: (client) => manyMembers(client, 6_000),
    round: async (client) => {
      const socket = client.open('GET', `/Groups/${client.notes.get('group')}`);
      const timer = setInterval(() => void socket.read(4096), 5_000);
      await ended(socket);
      clearInterval(timer);
    },
    atOnce: 16,
  },
  'readers that stop reading': {
    prepare: (client) => fatUsers(client, 40),
    round: async (client) => {
      const socket = client.open('GET', '/Users?count=40');
      socket.pause();
      await ended(socket);
    },
    atOnce: 40,
  },
  'a body of a million keys': {
    round: async (client, number) => {
      const keys = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',');
      const nested = `[${'[],'.repeat(4_000_000)}[]]`;
      await client.send('POST', '/Groups', number % 2 === 0 ? `{${keys}}` : `{"displayName":"a","x":${nested}}`);
    },
    atOnce: 2,
  },
  'groups of 100,000 members': {
    round: async (client) => {
      const members = Array.from(
        { length: 100_000 },
        () => `{"value":"${randomUUID()}","display":"${'d'.repeat(60)}"}`,
      );
      await client.send('POST', '/Groups', `{"displayName":"a","members":[${members.join(',')}]}`);
    },
    atOnce: 2,
  },
  'PATCH of a thousand value paths': {
    prepare: async (client) => {
      const emails = Array.from({ length: 100 }, (_, index) => ({ value: `a${index}@example.com`, type: `t${index}` }));
      client.notes.set('user', await client.create('/Users', { userName: 'patched', emails }));
    },
    round: async (client, number) => {
      const Operations = Array.from({ length: 1_000 }, (_, index) => ({
        op: 'replace',
        path: `emails[type eq "t${index % 100}" and value co "${number % 10}"].display`,
        value: `d${index}`,
      }));
      await client.send(
        'PATCH',
        `/Users/${client.notes.get('user')}`,
        JSON.stringify({ schemas: [patchOp], Operations }),
      );
    },
    atOnce: 4,
  },
  passwords: {
    prepare: async (client) => void (await client.create('/Users', { userName: 'taken' })),
    round: async (client, number) => {
      const userName = number % 2 === 0 ? 'taken' : randomUUID();
      await client.send('POST', '/Users', JSON.stringify({ userName, password: randomUUID() }));
    },
    atOnce: 50,
  },
  'bulk requests whose client hangs up': {
    round: async (client) => {
      const operation = (): object => ({
        method: 'POST',
        path: '/Users',
        bulkId: randomUUID(),
        data: { userName: randomUUID() },
      });
      const body = JSON.stringify({ schemas: [bulkUrn], Operations: Array.from({ length: 500 }, operation) });
      const socket = client.open('POST', '/Bulk', `Content-Length: ${Buffer.byteLength(body)}`);
      socket.write(body);
      await delay(400);
      socket.destroy();
    },
    atOnce: 4,
  },
  'small changes of a large user': {
    prepare: (client) => fatUsers(client, 1),
    round: async (client, number) => {
      const Operations = [{ op: 'replace', path: 'title', value: `t${number}` }];
      await client.send(
        'PATCH',
        `/Users/${client.notes.get('user')}`,
        JSON.stringify({ schemas: [patchOp], Operations }),
      );
    },
    atOnce: 4,
  },
  'filters that are all different': {
    round: async (client) => {
      const attributes = ['userName', 'displayName', 'nickName', 'title', 'userType', 'locale', 'externalId'];
      const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
      const pick = (list: readonly string[]): string => list[Math.floor(Math.random() * list.length)] as string;
      const term = (): string => `${pick(attributes)} ${pick(operators)} "${randomBytes(4).toString('hex')}"`;
      await client.send('GET', filter([term(), term(), term()].join(' and ')));
    },
    atOnce: 8,
  },
  'guesses of tokens': {
    round: async (client) =>
      void (await client.send('GET', '/Users', undefined, randomBytes(32).toString('base64url'))),
    atOnce: 64,
  },
};

/**
 * Runs an attack until it is ended.
 * @returns how many rounds were made
 */
export async function run(attack: Attack, client: AttackerClient, end: AbortSignal): Promise<number> {
  let rounds = 0;
  const one = async (): Promise<void> => {
    while (!end.aborted) {
      const begun = performance.now();
      await attack.round(client, rounds++);
      // What is refused at once is tried again a little later: the attack is on the server, not on its own processor.
      if (performance.now() - begun < 50) await delay(50);
    }
  };
  await Promise.race([
    Promise.all(Array.from({ length: attack.atOnce }, one)),
    new Promise((resolve) => end.addEventListener('abort', resolve)),
  ]);
  return rounds;
}
