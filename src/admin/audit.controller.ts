import { applyDecorators, Get, Header, Param } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { AuditTrail, type AuditRecord } from '../audit/audit-trail.js';
import { TextInParts } from '../http/representation.js';
import { ScimErrors } from '../http/scim-docs.js';
import { installation } from '../persistence/audit-event.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { AdminApi, JsonAnswer, ListQueryParameters, TenantParameter, type Listed } from './admin-api.js';
import {
  AuditEventDto,
  auditEventDto,
  AuditExportQuery,
  AuditEventListDto,
  auditFilter,
  auditFilters,
  AuditListQuery,
} from './audit.dto.js';
import { momentPage, TimeLineFilters, timeLineQuery } from './time-line-query.js';
import { Parameters } from './validation.js';

const jsonLines = 'application/x-ndjson';
/** About what the events of an export that are in memory at once come to. */
const exportedBytes = 1_000_000;
const pageNote = 'A page may have fewer events than wanted, or none: follow nextCursor to the end.';

const AnswersPage = (summary: string): MethodDecorator =>
  applyDecorators(
    ApiOperation({ summary, description: pageNote }),
    ListQueryParameters(),
    TimeLineFilters(auditFilters),
    JsonAnswer(200, 'One page of the events, from the newest on.', AuditEventListDto),
  );

const AnswersExport = (summary: string): MethodDecorator =>
  applyDecorators(
    Header('Content-Type', jsonLines),
    ApiOperation({ summary, description: 'JSON lines: one event a line, from the newest on.' }),
    TimeLineFilters(auditFilters),
    ApiExtraModels(AuditEventDto),
    ApiResponse({
      status: 200,
      description: 'All events that are wanted.',
      content: { [jsonLines]: { schema: { $ref: getSchemaPath(AuditEventDto) } } },
    }),
  );

/** Reads pages and exports of the trail. */
abstract class AuditReader {
  protected constructor(private readonly trail: AuditTrail) {}

  protected async page(tenantId: string, query: AuditListQuery): Promise<Listed<AuditEventDto>> {
    const { records, next } = await this.trail.list({ ...timeLineQuery(tenantId, query), filter: auditFilter(query) });
    return momentPage(records.map(auditEventDto), next);
  }

  protected async lines(tenantId: string, query: AuditExportQuery): Promise<TextInParts> {
    const parts = this.trail.export({ ...timeLineQuery(tenantId, query), filter: auditFilter(query) });
    // What fails at once is answered as an error; later the client sees that the text is cut off.
    const first = await parts.next();
    return new TextInParts(
      (async function* () {
        if (!first.done) yield linesOf(first.value);
        for await (const records of parts) yield linesOf(records);
      })(),
      exportedBytes,
    );
  }
}

const linesOf = (records: readonly AuditRecord[]): string =>
  records.map((record) => `${JSON.stringify(auditEventDto(record))}\n`).join('');

/** Every change of a tenant's resources, credentials and settings. */
@TenantParameter()
@AdminApi('/tenants/:tenant/audit', 'Audit')
export class TenantAuditController extends AuditReader {
  constructor(
    trail: AuditTrail,
    private readonly tenants: TenantsService,
  ) {
    super(trail);
  }

  @Get()
  @AnswersPage("Read a tenant's audit trail")
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async list(
    @Param('tenant') tenant: string,
    @Parameters(AuditListQuery) query: AuditListQuery,
  ): Promise<Listed<AuditEventDto>> {
    return this.page((await this.tenants.get(tenant)).id, query);
  }

  @Get('export')
  @AnswersExport("Export a tenant's audit trail")
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async export(
    @Param('tenant') tenant: string,
    @Parameters(AuditExportQuery) query: AuditExportQuery,
  ): Promise<TextInParts> {
    return this.lines((await this.tenants.get(tenant)).id, query);
  }
}

/** Which tenants came and went. It outlives them. */
@AdminApi('/audit', 'Audit')
export class AuditController extends AuditReader {
  constructor(trail: AuditTrail) {
    super(trail);
  }

  @Get()
  @AnswersPage('Read which tenants were created and deleted')
  @ScimErrors('invalidSyntax', 'invalidValue')
  list(@Parameters(AuditListQuery) query: AuditListQuery): Promise<Listed<AuditEventDto>> {
    return this.page(installation, query);
  }

  @Get('export')
  @AnswersExport('Export which tenants were created and deleted')
  @ScimErrors('invalidSyntax', 'invalidValue')
  export(@Parameters(AuditExportQuery) query: AuditExportQuery): Promise<TextInParts> {
    return this.lines(installation, query);
  }
}
