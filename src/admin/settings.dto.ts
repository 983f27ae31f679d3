import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { defaultSettings, settingBounds, settingChoices, type TenantSettings } from '../scim/index.js';
import { MayBeAbsent } from './validation.js';

type Choice = keyof typeof settingChoices;
type Bounded = keyof typeof settingBounds;
type Switch = Exclude<keyof TenantSettings, Choice | Bounded>;

function OneOf(name: Choice, description: string): PropertyDecorator {
  const choices = settingChoices[name];
  return applyDecorators(
    ApiPropertyOptional({ enum: [...choices], default: defaultSettings[name], description }),
    MayBeAbsent(),
    IsIn(choices, { message: `${name} must be one of ${choices.join(', ')}` }),
  );
}

function OnOff(name: Switch, description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: Boolean, default: defaultSettings[name], description }),
    MayBeAbsent(),
    IsBoolean({ message: `${name} must be true or false` }),
  );
}

function AtMost(name: Bounded, description: string): PropertyDecorator {
  const [minimum, maximum] = settingBounds[name];
  const message = `${name} must be null or a whole number from ${minimum} to ${maximum}`;
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum, maximum, nullable: true, default: null, description }),
    IsOptional(),
    IsInt({ message }),
    Min(minimum, { message }),
    Max(maximum, { message }),
  );
}

/** How a tenant's requests are treated. What is absent stays; null is what the server gives. */
@ApiSchema({ name: 'Settings' })
export class SettingsDto implements Partial<TenantSettings> {
  @OneOf('profile', 'Which client habits are accepted.')
  profile?: TenantSettings['profile'];

  @OnOff('uniqueExternalId', 'An externalId belongs to one resource of its type.')
  uniqueExternalId?: boolean;

  @OnOff('uniqueGroupDisplayName', 'A displayName belongs to one group, in any case.')
  uniqueGroupDisplayName?: boolean;

  @OnOff('ignoreUnknownMembers', 'Members that do not exist are passed over instead of refused.')
  ignoreUnknownMembers?: boolean;

  @OneOf('replaceOmitted', 'What PUT does to `active` when the body leaves it out. A password is always kept.')
  replaceOmitted?: TenantSettings['replaceOmitted'];

  @OnOff('requireIfMatch', 'PUT, PATCH and DELETE without If-Match are answered with 428.')
  requireIfMatch?: boolean;

  @OneOf('sensitiveFilters', 'Whether GET may filter by personal attributes; POST /.search always may.')
  sensitiveFilters?: TenantSettings['sensitiveFilters'];

  @AtMost('maxPageSize', 'Most resources of a page.')
  maxPageSize?: number | null;

  @AtMost('maxBulkOperations', 'Most operations of a bulk request.')
  maxBulkOperations?: number | null;

  @AtMost('maxBulkPayloadBytes', 'Most bytes of a bulk request.')
  maxBulkPayloadBytes?: number | null;

  @AtMost('requestsPerSecond', 'Requests per second before clients get 429.')
  requestsPerSecond?: number | null;

  @AtMost('concurrentRequests', 'Requests at the same time, in one process.')
  concurrentRequests?: number | null;

  @OnOff('requestLog', "Requests are kept for the tenant's administrators.")
  requestLog?: boolean;

  @AtMost('auditRetentionDays', 'For how many days events stay in the audit trail.')
  auditRetentionDays?: number | null;

  @AtMost('maxUsers', 'Most users. Those beyond a lower limit stay, and no others come.')
  maxUsers?: number | null;

  @AtMost('maxGroups', 'Most groups. Those beyond a lower limit stay, and no others come.')
  maxGroups?: number | null;

  @AtMost('maxBytes', 'Most bytes of users, groups, members, audit trail and request log, about.')
  maxBytes?: number | null;
}
