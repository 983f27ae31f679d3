import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Request } from 'express';
import { BytesInFlight, type HeldBytes } from '../limits/bytes-in-flight.js';
import { Slots } from '../limits/slots.js';
import {
  checkJsonBounds,
  decodeUtf8,
  keepLinksApart,
  limits,
  parseJson,
  type JsonBounds,
  type JsonOptions,
  type JsonValue,
} from '../scim/index.js';
import { JsonThread } from './json-thread.js';
import type { JsonTask } from './json-worker.js';
import { declaredLength, lastWord, receiveBody } from './receive-body.js';

/** How large a body may be. */
export interface BodyLimits {
  readonly bytes: number;
  /** The longest array. */
  readonly arrayElements: number;
  /** What the limit on bytes is called where it is published. */
  readonly name?: string;
  /** Keys of all objects together; limits.bodyKeys by default. */
  readonly keys?: number;
  /** An array that may be much longer: its key in lower case. Its elements are kept apart from a large body. */
  readonly list?: string;
  /** Leaves it to the handler to check the text of strings, part by part. */
  readonly anyText?: boolean;
}

/** The limits of a body that names no other. */
export const defaultBodyLimits: BodyLimits = { bytes: limits.bodyBytes, arrayElements: limits.arrayElements };

// In whose name requests hold bytes that no tenant's credentials came with.
const withoutTenant = 'public';
/** A body of more bytes is read in a thread of its own. */
const threadBytes = 262_144;
/** A body counts twice once it is there: as bytes or text, and as what is read from it. */
const timesHeld = 2;

/** Receives the bodies of requests, and reads them as JSON. What they take is held in the tenant's name. */
@Injectable()
export class RequestBodies implements OnApplicationShutdown {
  /** Those of more bytes than an ordinary body. */
  readonly large = new Slots({ all: 4, tenant: 1, wait: 2_000, what: 'large bodies' });
  private readonly thread = new JsonThread();

  constructor(private readonly bytes: BytesInFlight) {}

  async onApplicationShutdown(): Promise<void> {
    await this.thread.close();
  }

  /**
   * Reads a request's body as JSON. Its bytes stay held until the answer has been sent, or the client is gone.
   * @throws ScimError as `receiveBody`, `checkJsonBounds` and `parseJson`
   */
  async read(request: Request, bodyLimits: BodyLimits): Promise<JsonValue> {
    const { bytes, held, leave } = await this.receive(request, bodyLimits);
    try {
      held.resize(bytes.length * timesHeld);
      const task = { bounds: boundsOf(bodyLimits), options: optionsOf(bodyLimits) };
      if (bytes.length > threadBytes) return await this.readApart(tenantOf(request), { ...task, bytes });
      checkJsonBounds(bytes, task.bounds);
      return parseJson(decodeUtf8(bytes), task.options);
    } finally {
      leave();
    }
  }

  /**
   * Receives a body as it is.
   * @param most how many bytes it may have
   * @returns the bytes, which stay held until the answer has been sent
   * @throws ScimError as `receiveBody`
   */
  async bytesOf(request: Request, most: number): Promise<Buffer> {
    const { bytes, leave } = await this.receive(request, { bytes: most });
    leave();
    return bytes;
  }

  private async receive(request: Request, { bytes: most, name }: Pick<BodyLimits, 'bytes' | 'name'>) {
    const tenant = tenantOf(request);
    const declared = declaredLength(request);
    const slot = { leave: (): void => undefined };
    const held = this.bytes.hold(tenant, 0);
    releaseWithAnswer(request, held);
    const grown = (): void => {
      slot.leave = this.large.takeNow(tenant);
    };
    try {
      if (declared <= most) {
        // Before its first byte is read: what waits holds nothing.
        if (declared > limits.bodyBytes) slot.leave = await this.large.take(tenant, goneSignal(request));
        // What cannot fit is refused; what can is counted as it comes.
        held.resize(declared);
        held.resize(0);
      }
      return { bytes: await receiveBody(request, { bytes: most, name, held, grown }), held, leave: slot.leave };
    } catch (error) {
      slot.leave();
      held.release();
      throw await lastWord(request, error);
    }
  }

  private async readApart(tenant: string, task: JsonTask): Promise<JsonValue> {
    const { text, links } = await this.thread.read(tenant, task);
    const body = JSON.parse(text) as JsonValue;
    if (links) keepLinksApart(body, links);
    return body;
  }
}

const tenantOf = (request: Request): string => request.principal?.tenant.id ?? withoutTenant;

function boundsOf({ keys = limits.bodyKeys, list, arrayElements, bytes }: BodyLimits): JsonBounds {
  const bounds = { keys, objectKeys: limits.objectKeys, values: limits.bodyValues };
  if (list === undefined) return bounds;
  const { memberKeys, memberValues, bodyBytes } = limits;
  const ofList = { name: list, elements: arrayElements, keys: memberKeys, values: memberValues };
  return { ...bounds, list: { ...ofList, otherBytes: Math.min(bytes, bodyBytes) } };
}

/** Where one list may be much longer, the others are as in any body. */
function optionsOf({ list, arrayElements, anyText = false }: BodyLimits): JsonOptions {
  const maxArray = list === undefined ? arrayElements : limits.arrayElements;
  const options = { maxDepth: limits.jsonDepth, maxArray, anyText };
  return list === undefined ? options : { ...options, list: { name: list, elements: arrayElements } };
}

/** Gives back what is held as soon as the answer has been sent or the client is gone. */
function releaseWithAnswer({ res }: Request, held: HeldBytes): void {
  if (!res || res.closed) held.release();
  else res.once('close', () => held.release());
}

function goneSignal(request: Request): AbortSignal {
  const gone = new AbortController();
  request.once('close', () => gone.abort());
  return gone.signal;
}

/** The one that every request of an application reaches: a decorator of a parameter is given nothing else. */
export const bodiesOf = ({ app }: Request): RequestBodies => app.locals['bodies'] as RequestBodies;
