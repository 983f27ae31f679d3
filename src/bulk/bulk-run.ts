import { setImmediate as turn } from 'node:timers/promises';
import type { RequestContext } from '../http/request-context.js';
import type { ResourceRepresentation } from '../http/representation.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import type { ResourceService } from '../resources/resource.service.js';
import {
  errorMessage,
  etag,
  isJsonObject,
  messageUrn,
  quote,
  referenceOf,
  referencesIn,
  resolveReferences,
  ScimError,
  splitWaiting,
  type BulkOperation,
  type BulkRequest,
  type ErrorMessage,
  type JsonObject,
} from '../scim/index.js';

/** The answer to one operation (RFC 7644 section 3.7). */
export interface BulkResult {
  readonly method: string;
  readonly bulkId?: string;
  readonly version?: string;
  readonly location?: string;
  readonly status: string;
  readonly response?: ErrorMessage;
}

/** A service by its endpoint, such as `/Users`. */
export type Services = ReadonlyMap<string, ResourceService<ResourceEntity>>;

/** For how many milliseconds operations begin. Proxies wait for a minute. */
export const longestRun = 55_000;

/** What a run is bound by. */
export interface RunBounds {
  /** Called as each operation begins, but for the first. */
  readonly begin: () => void;
  /** Whether it has taken so long that no other operation may begin. */
  readonly isLate: () => boolean;
}

/** What an operation is about. */
interface Address {
  readonly service: ResourceService<ResourceEntity>;
  readonly endpoint: string;
  /** The id, or a reference to a bulkId; absent for POST. */
  readonly id?: string;
}

/** A resource that was created, but may be part of a circle of references that is still to be closed. */
interface Created {
  readonly index: number;
  readonly address: Address;
  readonly id: string;
  /** What it refers to. */
  readonly references: ReadonlySet<string>;
  /** The attributes whose references could not all be resolved yet. */
  readonly later: JsonObject | undefined;
}

const late = (): ScimError =>
  new ScimError(
    'unavailable',
    `The bulk request took longer than ${longestRun / 1000} s before this operation; send the operation again.`,
  );

const notCreated = (bulkId: string): ScimError =>
  new ScimError('conflict', `The resource with the bulkId ${quote(bulkId)} could not be created.`);

// What the request itself has created needs no version to be named.
const ownResource = { ifMatch: '*' };

/**
 * Carries out one bulk request (RFC 7644 section 3.7). Operations go in the order of the request, but one that refers to
 * a resource created by a later one has that created first. In a circle of references, resources are created without
 * them and linked afterwards. Each operation takes the same way as a request of its own.
 *
 * When the client hangs up, no further operation begins. Circles whose resources are all there are closed, and
 * resources that wait for one that is not are taken back: what is left is as it was asked for.
 */
export class BulkRun {
  private readonly results = new Map<number, BulkResult>();
  private readonly started = new Set<number>();
  private readonly ids = new Map<string, string>();
  private readonly failed = new Set<string>();
  private readonly creators = new Map<string, number>();
  private created: Created[] = [];
  private errors = 0;
  /** For what is finished also when the client has hung up. */
  private readonly lasting: RequestContext;

  /** @param translate makes an unexpected error the one that is answered */
  constructor(
    private readonly ctx: RequestContext,
    private readonly request: BulkRequest,
    private readonly services: Services,
    private readonly translate: (error: unknown) => ScimError,
    private readonly bounds: RunBounds,
  ) {
    this.lasting = { ...ctx, isGone: () => false, onGone: () => () => undefined };
    request.operations.forEach(({ method, bulkId }, index) => {
      if (method === 'POST' && bulkId !== undefined) this.creators.set(bulkId, index);
    });
  }

  /** @returns the BulkResponse message: an entry for each operation carried out, in the order of the request */
  async run(): Promise<{ schemas: [string]; Operations: BulkResult[] }> {
    for (let index = 0; index < this.request.operations.length && !this.isStopped; index++) {
      await this.process(index);
      await this.closeCircles();
    }
    const results = [...this.results].sort(([a], [b]) => a - b).map(([, result]) => result);
    return { schemas: [messageUrn.bulkResponse], Operations: results };
  }

  private get isStopped(): boolean {
    const { failOnErrors } = this.request;
    return this.ctx.isGone() || (failOnErrors !== undefined && this.errors >= failOnErrors);
  }

  private async process(index: number): Promise<void> {
    const operation = this.request.operations[index];
    if (!operation || this.started.has(index) || this.isStopped) return;
    this.started.add(index);
    // Between two operations others have their turn, and the end of the connection becomes known.
    await turn();
    if (this.isStopped) {
      this.started.delete(index);
      return;
    }
    let address: Address | undefined;
    try {
      if (this.bounds.isLate()) throw late();
      if (this.started.size > 1) this.bounds.begin();
      if (operation.error) throw operation.error;
      address = this.address(operation);
      const references = await this.createReferenced(operation, index);
      if (this.isStopped) {
        this.started.delete(index);
        return;
      }
      this.refuseFailed(references);
      this.results.set(index, await this.carryOut(operation, address, index));
    } catch (error) {
      this.fail(index, error, address);
    }
  }

  private fail(index: number, error: unknown, address?: Address): void {
    const { method = '', bulkId } = this.request.operations[index] ?? {};
    const known = this.translate(error);
    this.errors++;
    if (bulkId !== undefined && method === 'POST') {
      this.ids.delete(bulkId);
      this.failed.add(bulkId);
    }
    const id = address?.id === undefined ? undefined : (this.ids.get(referenceOf(address.id) ?? '') ?? address.id);
    this.results.set(index, {
      method,
      ...(bulkId === undefined ? {} : { bulkId }),
      ...(id === undefined || !address ? {} : { location: `${this.ctx.baseUrl}${address.endpoint}/${id}` }),
      status: String(known.status),
      response: errorMessage(known),
    });
  }

  /**
   * Creates what an operation refers to first. What is being created already is part of a circle.
   * @returns what it refers to
   */
  private async createReferenced(operation: BulkOperation, index: number): Promise<ReadonlySet<string>> {
    const { bulkId: own, data, path, method } = operation;
    const inPath = referenceOf(path.split('/').at(-1));
    const references = referencesIn(data);
    if (inPath !== undefined) references.add(inPath);
    for (const reference of references) {
      const creator = this.creators.get(reference);
      if (creator === undefined || (creator === index && reference === own)) {
        const reason = creator === undefined ? 'no operation creates it' : 'it is the operation itself';
        throw new ScimError('invalidValue', `The bulkId ${quote(reference)} cannot be referred to: ${reason}.`);
      }
      await this.process(creator);
    }
    // Only what is created can be part of a circle; what else refers to one needs it closed.
    if (method !== 'POST') await this.closeCircles();
    return references;
  }

  /** @throws ScimError conflict when one of these could not be created */
  private refuseFailed(references: ReadonlySet<string>): void {
    for (const reference of references) if (this.failed.has(reference)) throw notCreated(reference);
  }

  private async carryOut(operation: BulkOperation, address: Address, index: number): Promise<BulkResult> {
    const { service } = address;
    const options = operation.version === undefined ? {} : { ifMatch: operation.version };
    if (operation.method === 'POST') return this.create(operation, address, index);
    const id = this.ids.get(referenceOf(address.id) ?? '') ?? address.id ?? '';
    if (operation.method === 'DELETE') {
      await service.delete(this.ctx, id, options);
      return this.result(operation, '204', `${this.ctx.baseUrl}${address.endpoint}/${id}`);
    }
    const data = resolveReferences(operation.data ?? null, this.ids) ?? null;
    if (operation.method === 'PUT')
      return this.succeed(operation, '200', await service.replace(this.ctx, id, data, options));
    const patched = await service.patch(this.ctx, id, data, options);
    return this.succeed(operation, patched.isReturned ? '200' : '204', patched);
  }

  private async create(operation: BulkOperation, address: Address, index: number): Promise<BulkResult> {
    const { data = null, bulkId = '' } = operation;
    const { now, later } = isJsonObject(data) ? splitWaiting(data, this.ids) : { now: data, later: undefined };
    const created = await address.service.create(this.ctx, now, {});
    const id = created.location.slice(created.location.lastIndexOf('/') + 1);
    this.ids.set(bulkId, id);
    this.created.push({ index, address, id, references: referencesIn(data), later });
    return this.succeed(operation, '201', created);
  }

  /** Links the resources of circles, now that all of them are there. */
  private async closeCircles(): Promise<void> {
    const created = this.created;
    this.created = [];
    for (const resource of created) {
      if (!resource.later || this.isFailed(resource)) continue;
      try {
        await this.link(resource, resource.later);
      } catch (error) {
        await this.undo(resource, error);
        await this.undoReferring(created);
      }
    }
  }

  private async link({ index, address, id }: Created, later: JsonObject): Promise<void> {
    for (const reference of referencesIn(later)) if (!this.ids.has(reference)) throw notCreated(reference);
    const value = resolveReferences(later, this.ids) ?? null;
    const patch = { schemas: [messageUrn.patchOp], Operations: [{ op: 'add', value }] };
    const linked = await address.service.patch(this.lasting, id, patch, ownResource);
    this.results.set(index, this.succeed(this.operation(index), '201', linked));
  }

  /** Takes back what refers to a resource that was taken back: without it, it is not what was asked for. */
  private async undoReferring(created: readonly Created[]): Promise<void> {
    let isSettled = false;
    while (!isSettled) {
      isSettled = true;
      for (const resource of created) {
        const lost = this.lostReference(resource);
        if (lost === undefined) continue;
        await this.undo(resource, notCreated(lost));
        isSettled = false;
      }
    }
  }

  private lostReference(resource: Created): string | undefined {
    if (this.isFailed(resource)) return undefined;
    for (const reference of resource.references) if (this.failed.has(reference)) return reference;
    return undefined;
  }

  private async undo({ index, address, id }: Created, error: unknown): Promise<void> {
    await address.service.delete(this.lasting, id, ownResource);
    this.fail(index, error);
  }

  private operation(index: number): BulkOperation {
    return this.request.operations[index] as BulkOperation;
  }

  private isFailed({ index }: Created): boolean {
    return this.failed.has(this.operation(index).bulkId ?? '');
  }

  /** @throws ScimError invalidValue for a path that is not `/Users`, `/Users/id` or their like */
  private address({ method, path }: BulkOperation): Address {
    const [, endpoint = '', id] = /^(?:\/v2)?(\/[A-Za-z]+)(?:\/([^/?#]+))?\/?$/.exec(path) ?? [];
    const service = this.services.get(endpoint);
    if (!service || id === '.' || id === '..' || (method === 'POST') !== (id === undefined)) {
      const endpoints = [...this.services.keys()].join(' or ');
      const right = method === 'POST' ? endpoints : `${endpoints} and the id of a resource`;
      throw new ScimError('invalidValue', `The path of ${method} must be ${right}, not ${quote(path)}.`);
    }
    return { service, endpoint, ...(id === undefined ? {} : { id }) };
  }

  private succeed(operation: BulkOperation, status: string, resource: ResourceRepresentation): BulkResult {
    return this.result(operation, status, resource.location, etag(resource.version));
  }

  private result({ method, bulkId }: BulkOperation, status: string, location: string, version?: string): BulkResult {
    return {
      method,
      ...(bulkId === undefined ? {} : { bulkId }),
      ...(version === undefined ? {} : { version }),
      location,
      status,
    };
  }
}
