import { ScimError } from '../scim/index.js';
import { literal, type SqlContext } from './filter-sql/columns.js';

/** The constraint that `place_in_tenant` names. */
const constraint = 'tenant_quota';
const checkViolation = '23514';

/** What the settings that bound them are called, and what people call them. */
const names: Readonly<Record<string, readonly [setting: string, noun: string]>> = {
  User: ['maxUsers', 'users'],
  Group: ['maxGroups', 'groups'],
};

/**
 * An SQL expression for the tenant's id that fails where the tenant has as many resources of a type as it may have. Far
 * from the limit, insertions do not wait for each other; near it they come one after the other, so the limit is exact.
 */
export function placeInTenant(type: string, most: number, { tenant, parameter }: SqlContext): string {
  return `place_in_tenant(${tenant}::uuid, ${literal(type)}, ${parameter(most)}::bigint)`;
}

/** @returns the error to answer where a statement failed because there was no place; undefined for any other failure */
export function noPlace(error: unknown): ScimError | undefined {
  const { code, constraint: violated, detail } = error as { code?: string; constraint?: string; detail?: string };
  if (code !== checkViolation || violated !== constraint) return undefined;
  const [type = '', there = '', most = ''] = (detail ?? '').split(' ');
  const [setting = '', noun = ''] = names[type] ?? [];
  return new ScimError(
    'forbidden',
    `This tenant has ${there} ${noun} and may have ${most}; delete some, or ask the operator to raise its ${setting}.`,
  );
}
