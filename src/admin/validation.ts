import { createParamDecorator, type ExecutionContext, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, ValidateIf, validateSync, type ValidationError } from 'class-validator';
import type { Request } from 'express';
import { bodiesOf } from '../http/request-bodies.js';
import { checkContentType } from '../http/scim-media-type.js';
import { isJsonObject, profiles, quote, ScimError, type JsonObject, type JsonValue } from '../scim/index.js';

const bodyLimits = { bytes: 65_536, arrayElements: 1_000 };

/** Allows a member to be absent, but not null. */
export const MayBeAbsent = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

/**
 * The request's JSON body as a handler's argument, checked: a request without a body has an empty object.
 * @throws ScimError as `checkContentType`, `RequestBodies.read` and `checked`
 */
export const Json = createParamDecorator(async (dto: Type<object>, execution: ExecutionContext) => {
  const request = execution.switchToHttp().getRequest<Request>();
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  const isEmpty = coding === undefined && (length === undefined || length === '0');
  if (isEmpty) return checked(dto, {});
  checkContentType(request, profiles.strict);
  return checked(dto, await bodiesOf(request).read(request, bodyLimits));
});

/**
 * The request's query parameters as a handler's argument, checked.
 * @throws ScimError invalidValue for one that is given twice, or as `checked`
 */
export const Parameters = createParamDecorator((dto: Type<object>, execution: ExecutionContext) => {
  const { originalUrl } = execution.switchToHttp().getRequest<Request>();
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(originalUrl.split('?').slice(1).join('?'))) {
    if (given.has(name)) throw new ScimError('invalidValue', `${quote(name)} is given twice.`);
    given.set(name, value);
  }
  return checked(dto, Object.fromEntries(given));
});

/**
 * Checks a value by the rules of its class.
 * @returns an instance that has only what was given
 * @throws ScimError invalidSyntax for what is no object or has a member that is not known; invalidValue for a bad member
 */
export function checked<T extends object>(dto: Type<T>, given: JsonValue): T {
  if (!isJsonObject(given)) throw new ScimError('invalidSyntax', 'The body must be a JSON object.');
  refuseClasses(given, '');
  const instance = plainToInstance(dto, given, { exposeUnsetFields: false });
  refuseDropped(given, instance, '');
  const [error] = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true });
  if (error) throw asScimError(error, '');
  return instance;
}

/** Refuses members called `constructor` within others: class-transformer would take their values for classes. */
function refuseClasses(given: JsonValue | undefined, within: string): void {
  if (typeof given !== 'object' || given === null) return;
  for (const [name, value] of Object.entries(given)) {
    if (within !== '' && name === 'constructor') {
      throw new ScimError('invalidSyntax', `${quote(within + name)} is not a name that can be used here.`);
    }
    refuseClasses(value, `${within}${name}.`);
  }
}

/** Refuses members that class-transformer passes over without a word, such as `__proto__` and `constructor`. */
function refuseDropped(given: JsonObject, instance: object, within: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(instance, name)) throw unknownMember(within + name, instance);
    const kept: unknown = instance[name as keyof typeof instance];
    if (isJsonObject(value) && typeof kept === 'object' && kept !== null)
      refuseDropped(value, kept, `${within}${name}.`);
  }
}

const unknownMember = (path: string, target: object | undefined): ScimError =>
  new ScimError('invalidSyntax', `${quote(path)} is not known here; known are ${membersOf(target)}.`);

function asScimError(error: ValidationError, within: string): ScimError {
  const { property, children, constraints = {}, target } = error;
  const path = within + property;
  const [child] = children ?? [];
  if (child) return asScimError(child, `${path}.`);
  const [[rule, message] = ['', '']] = Object.entries(constraints);
  if (rule === 'whitelistValidation') return unknownMember(path, target);
  return new ScimError('invalidValue', `${within}${message}.`);
}

/** The names of the members that a class has rules for. */
function membersOf(target: object | undefined): string {
  const rules = target ? getMetadataStorage().getTargetValidationMetadatas(target.constructor, '', true, false) : [];
  return [...new Set(rules.map(({ propertyName }) => propertyName))].join(', ');
}
