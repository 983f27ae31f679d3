import { SchemaRegistry, type ResourceSchema, type Schema } from '../../src/scim/index.js';
import { attribute } from '../../src/scim/schema/schema.js';

/** The URN of the base schema of `badgeSchema`. */
export const badgeUrn = 'urn:example:schemas:core:2.0:Badge';

/** The URN of the extension of `badgeSchema`. */
export const lockUrn = 'urn:example:schemas:extension:2.0:Lock';

const described = (name: string, more: Partial<Parameters<typeof attribute>[0]> = {}): ReturnType<typeof attribute> =>
  attribute({ name, description: name, ...more });

const badge: Schema = {
  id: badgeUrn,
  name: 'Badge',
  description: 'A badge that opens doors',
  attributes: [
    described('label', { required: true }),
    described('serial', { mutability: 'immutable', caseExact: true }),
    described('level', { type: 'integer' }),
    described('weight', { type: 'decimal' }),
    described('issued', { type: 'dateTime' }),
    described('chip', { type: 'binary', caseExact: true }),
    described('tags', { multiValued: true }),
    described('pin', { mutability: 'writeOnly', returned: 'never' }),
    described('log', { returned: 'request' }),
    described('holder', {
      type: 'complex',
      subAttributes: [
        described('value', { mutability: 'immutable', caseExact: true }),
        described('note', { required: true }),
        described('trail', { returned: 'request' }),
        described('stamp', { returned: 'always' }),
      ],
    }),
    described('doors', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        described('value', { required: true }),
        described('zone', { mutability: 'immutable' }),
        described('hours', { multiValued: true }),
        described('code', { returned: 'never' }),
        described('lit', { type: 'boolean', mutability: 'readOnly' }),
      ],
    }),
    described('vault', {
      type: 'complex',
      multiValued: true,
      subAttributes: [described('value', { returned: 'never' })],
    }),
    described('alarm', { type: 'complex', returned: 'never', subAttributes: [described('value')] }),
    described('audit', { type: 'complex', mutability: 'readOnly', subAttributes: [described('by')] }),
    described('history', {
      type: 'complex',
      multiValued: true,
      mutability: 'immutable',
      subAttributes: [described('value')],
    }),
  ],
};

const lock: Schema = {
  id: lockUrn,
  name: 'Lock',
  description: 'What the badge is read by',
  attributes: [
    described('vendor', { required: true }),
    described('model'),
    described('installed', { mutability: 'readOnly' }),
    described('parts', {
      type: 'complex',
      multiValued: true,
      subAttributes: [described('value'), described('type'), described('primary', { type: 'boolean' })],
    }),
  ],
};

const badgeSchemaWith = (required: boolean): ResourceSchema =>
  new SchemaRegistry(
    [badge, lock],
    [
      {
        name: 'Badge',
        description: 'Badge',
        endpoint: '/Badges',
        schema: badgeUrn,
        schemaExtensions: [{ schema: lockUrn, required }],
      },
    ],
  ).resourceSchema('Badge');

/** A resource type with every characteristic that users and groups do not have; its extension is optional. */
export const badgeSchema = badgeSchemaWith(false);

/** The same with the extension required. */
export const lockedBadgeSchema = badgeSchemaWith(true);
