import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Config } from '../config.js';

/** The OpenAPI document of everything the application serves. */
export function openApiDocument(app: INestApplication, config: Config): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle('Rollcall')
    .setDescription(
      'SCIM 2.0 (RFC 7643, RFC 7644): Okta, Microsoft Entra ID and any SCIM client create, update, deactivate and group ' +
        'users here. Press **Authorize** and paste the bearer token; then every operation can be tried.',
    )
    .setVersion('2.0')
    .addServer(config.publicUrl)
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: "The tenant's bearer token, printed at the first start.",
    })
    .build();
  return SwaggerModule.createDocument(app, options, { autoTagControllers: false });
}

/** Serves Swagger UI at /docs and the document at /openapi.json. */
export function serveSwagger(app: INestApplication, config: Config): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Rollcall',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: false },
  });
}
