import type { JsonObject } from '../../src/scim/index.js';
import { AdminClient, type AdminTenant, type AdminToken } from './admin.js';
import { allPages, type LoggedRequest } from './audit.js';
import { ScimClient, type List, type Resource } from './client.js';
import { urn } from './expected.js';
import { accessToken, createClient, type Client } from './oauth.js';
import type { AdministeredServer } from './admin.js';
import type { RollcallProcess } from './process.js';

/** How servers are configured whose databases are compared: what clients see must not depend on the port. */
export const environment = {
  PUBLIC_URL: 'https://scim.example.com',
  ADMIN_TOKEN: 'operators-token-of-an-installation',
  KEY_ENCRYPTION_SECRET: 'a secret of thirty-two characters',
} as const;

/** What clients hold that must go on working. */
export interface Credentials {
  readonly ofDefault: string;
  readonly ofAcme: string;
  readonly reading: string;
  readonly revoked: string;
  readonly client: Client;
  readonly access: string;
  /** The address of a second page. */
  readonly page: string;
}

/** A user in the middle of a directory that `fill` made, and a group of hers. */
export interface Landmarks {
  readonly ada: Resource;
  readonly engineers: Resource;
}

const adminOf = ({ origin }: RollcallProcess): AdminClient =>
  new AdminClient(`${origin}/admin/v1`, environment.ADMIN_TOKEN);

const acmeOf = ({ origin }: RollcallProcess, token: string): ScimClient =>
  new ScimClient(`${origin}/tenants/acme/scim/v2`, token);

const scimOf = ({ origin }: RollcallProcess, token: string): ScimClient => new ScimClient(`${origin}/scim/v2`, token);

/** How many users of the default tenant come by bulk: more than fit in a batch or a page. */
const crowd = 250;

/** Gives a server that was just started for the first time something of everything, over HTTP. */
export async function fill(server: RollcallProcess): Promise<Credentials> {
  const admin = adminOf(server);
  const settings = { profile: 'entra-legacy', uniqueGroupDisplayName: true, maxPageSize: 150 };
  await admin.post('/tenants', { name: 'acme', settings });
  const issue = async (name: string, more: JsonObject = {}): Promise<AdminToken> =>
    (await admin.post<AdminToken>('/tenants/acme/tokens', { name, ...more })).body;
  const [all, reading, revoked] = [await issue('Entra'), await issue('App', { scopes: ['read'] }), await issue('Old')];
  await admin.delete(`/tenants/acme/tokens/${revoked.id}`);
  const asAdministered = Object.assign(Object.create(server) as AdministeredServer, { admin });
  const client = await createClient(asAdministered, { name: 'HR' }, 'acme');
  const issuer = { issuer: 'https://login.example.com/', audience: 'api://rollcall', scopes: ['read'] };
  await admin.post('/tenants/acme/issuers', issuer);

  await fillDirectory(server.scim);
  await fillDirectory(acmeOf(server, all.secret));
  await fillCrowd(server.scim);
  const { body: first } = await server.scim.list<Resource>('/Users?count=100&cursor=&sortBy=userName');
  const cursor = (first as List & { nextCursor: string }).nextCursor;
  return {
    ofDefault: server.scim.token,
    ofAcme: all.secret,
    reading: reading.secret,
    revoked: revoked.secret,
    client,
    access: await accessToken(asAdministered, client),
    page: `/Users?count=100&sortBy=userName&cursor=${cursor}`,
  };
}

/** People with managers and groups within groups, some changed and some gone. */
async function fillDirectory(scim: ScimClient): Promise<void> {
  const create = async (path: string, body: JsonObject): Promise<Resource> => (await scim.post(path, body)).body;
  const user = (userName: string, more: JsonObject = {}): Promise<Resource> =>
    create('/Users', { schemas: [urn.user], userName, externalId: `ext-${userName}`, ...more });
  const work = { type: 'work', primary: true };
  const boss = await user('boss@example.com', { displayName: 'Ünï "cödé" \\ \u{1F600}\ttab' });
  const ada = await user('Ada@example.com', {
    schemas: [urn.user, urn.enterprise],
    emails: [
      { value: 'ada@example.com', ...work },
      { value: 'ada@home.example', type: 'home' },
    ],
    password: 'Str0ng-enough',
    [urn.enterprise]: { manager: { value: boss.id }, department: 'Engines' },
  });
  const gone = await user('gone@example.com');
  const left = await user('left@example.com');
  const member = ({ id }: Resource) => ({ value: id });
  const inner = await create('/Groups', {
    displayName: 'Engineers',
    externalId: 'g-1',
    members: [ada, gone].map(member),
  });
  await create('/Groups', { displayName: 'Everybody', members: [member(inner), member(boss)] });
  const { body: lone } = await scim.post('/Groups', { displayName: 'Nobody' });
  await scim.operations(`/Users/${left.id}`, [{ op: 'replace', path: 'active', value: false }]);
  await scim.operations(`/Groups/${inner.id}`, [{ op: 'add', path: 'members', value: [member(left)] }]);
  await scim.delete(`/Users/${gone.id}`);
  await scim.delete(`/Groups/${lone.id}`);
  // For the request log.
  await scim.post('/Users', { userName: 'ADA@example.com' });
}

async function fillCrowd(scim: ScimClient): Promise<void> {
  const Operations = Array.from({ length: crowd }, (_, index) => ({
    method: 'POST',
    path: '/Users',
    bulkId: `u${index}`,
    data: { schemas: [urn.user], userName: `crowd-${String(index).padStart(4, '0')}@example.com` },
  }));
  const { status, text } = await scim.post('/Bulk', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations,
  });
  if (status !== 200) throw new Error(text);
}

/** What clients and operators see, by the first migration that can hold it. */
export interface Observation {
  /** Resources, filters and totals of both tenants, and whose tokens are taken: 1. */
  readonly directory: unknown;
  /** The second page of a list whose first page was read before: 2. */
  readonly page: unknown;
  /** Settings and tokens: 3. */
  readonly administration: unknown;
  /** Clients, issuers, keys and what was signed with them: 4. */
  readonly oauth: unknown;
  /** 8. */
  readonly audit: unknown;
  /** 9. */
  readonly requests: unknown;
}

/** Looks at everything there is to see over HTTP. Changes nothing but what it leaves out: when credentials were used. */
export async function observe(server: RollcallProcess, credentials: Credentials): Promise<Observation> {
  const admin = adminOf(server);
  const tenants = ['default', 'acme'];
  const lists = async (kind: string): Promise<unknown[]> =>
    withoutUse(
      await Promise.all(tenants.map((name) => allPages<object>(admin, `/tenants/${name}/${kind}`))),
    ) as unknown[];
  const [ofDefault, ofAcme] = [scimOf(server, credentials.ofDefault), acmeOf(server, credentials.ofAcme)];
  const status = async (token: string): Promise<number> => (await ofAcme.list('/Users', { token })).status;
  const second = await ofDefault.list(credentials.page);
  const requests = (await lists('requests')) as LoggedRequest[][];
  return {
    directory: [
      await observeDirectory(ofDefault),
      await observeDirectory(ofAcme),
      [await status(credentials.ofAcme), await status(credentials.reading), await status(credentials.revoked)],
    ],
    page: [second.status, { ...second.body, nextCursor: undefined }],
    administration: [await allPages<AdminTenant>(admin, '/tenants'), await lists('tokens')],
    oauth: [
      await lists('clients'),
      await lists('issuers'),
      (await scimOf(server, '').get(`${server.origin}/oauth/jwks`)).body,
      [await status(credentials.access), await status(await newAccess(server, credentials))],
    ],
    audit: await lists('audit'),
    // Some of what is read is in the log as well, and so is what is asked here.
    requests: requests.map((logged) => logged.filter(({ method }) => method !== 'GET')),
  };
}

/** Gets an access token; none where the client is not known, as on a database of before there were clients. */
const newAccess = (server: RollcallProcess, { client }: Credentials): Promise<string> =>
  accessToken(server as unknown as AdministeredServer, client).catch(() => 'none');

/** Leaves out when something was last used: asking is a use. */
const withoutUse = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (name, member: unknown) => (name === 'lastUsedAt' ? undefined : member)));

const filters = [
  'userName eq "ADA@EXAMPLE.com"',
  'externalId eq "ext-left@example.com"',
  'emails[type eq "home" and value eq "ada@home.example"]',
  `${urn.enterprise}:manager pr`,
  'active eq false',
  'userName sw "crowd-00" and not (userName ew "9@example.com")',
  'displayName co "cödé"',
];

async function observeDirectory(scim: ScimClient): Promise<unknown> {
  const pages: unknown[] = [];
  for (const startIndex of [1, 101, 201])
    pages.push((await scim.list(`/Users?count=100&startIndex=${startIndex}`)).body);
  const found: unknown[] = [];
  for (const filter of filters) {
    const { status, body } = await scim.list(`/Users?filter=${encodeURIComponent(filter)}&attributes=userName`);
    found.push([filter, status, body]);
  }
  const groups = await scim.list('/Groups?sortBy=displayName');
  const users = await scim.list('/Users?count=10&sortBy=meta.lastModified&sortOrder=descending');
  const single: unknown[] = [];
  for (const { meta } of [...groups.body.Resources, ...users.body.Resources]) {
    const path = meta.location.slice(meta.location.lastIndexOf('/', meta.location.lastIndexOf('/') - 1));
    const { status, headers, body } = await scim.get(path);
    single.push([status, headers.get('etag'), body]);
  }
  return { pages, found, groups: groups.body, users: users.body, single };
}

/** Writes to both tenants of a server as identity providers do. @returns what was answered, without ids and times */
export async function goOn(server: RollcallProcess, { ofDefault, ofAcme }: Credentials): Promise<unknown> {
  return [await write(scimOf(server, ofDefault)), await write(acmeOf(server, ofAcme))];
}

async function write(scim: ScimClient): Promise<unknown> {
  const find = async (path: string, filter: string): Promise<Resource> => {
    const { body } = await scim.list(`${path}?filter=${encodeURIComponent(filter)}`);
    const [found] = body.Resources;
    if (!found) throw new Error(`${path} has none with ${filter}`);
    return found;
  };
  const total = async (path: string): Promise<number> => (await scim.list(`${path}?count=0`)).body.totalResults;
  const before = [await total('/Users'), await total('/Groups')];
  const ada = await find('/Users', 'userName eq "ada@example.com"');
  const engineers = await find('/Groups', 'displayName eq "engineers"');
  const fresh = await scim.post('/Users', { userName: 'new@example.com' });
  const twins = [
    await scim.post('/Users', { userName: 'NEW@example.com' }),
    await scim.post('/Users', { userName: 'other@example.com', externalId: 'ext-boss@example.com' }),
    await scim.post('/Groups', { displayName: 'x', externalId: 'g-1' }),
  ];
  const change = () =>
    scim.operations(`/Users/${ada.id}`, [{ op: 'replace', path: 'title', value: 'Countess' }], {
      headers: { 'If-Match': ada.meta.version },
    });
  const [changed, late] = [await change(), await change()];
  const add = [{ op: 'add', path: 'members', value: [{ value: fresh.body.id }] }];
  const added = await scim.operations(`/Groups/${engineers.id}`, add);
  const deleted = await scim.delete(`/Users/${ada.id}`);
  const { body: group } = await scim.get(`/Groups/${engineers.id}`);
  const after = [await total('/Users'), await total('/Groups')];
  return {
    statuses: [fresh, ...twins, changed, late, added, deleted].map(({ status }) => status),
    members: (group['members'] as { value: string }[]).map(({ value }) => value === fresh.body.id),
    came: after.map((count, index) => count - (before[index] ?? 0)),
  };
}

/** What `goOn` gives where everything is as it should be. */
export const wentOn = [1, 2].map(() => ({
  statuses: [201, 409, 409, 409, 200, 412, 204, 204],
  members: [false, true],
  came: [0, 0],
}));
