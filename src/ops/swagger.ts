import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Config } from '../config.js';

/** What the operations are grouped by, in the order of the page. */
const tags: readonly [name: string, description: string][] = [
  ['Users', 'People, active or not'],
  ['Groups', 'Users, and groups nested in groups'],
  ['All types', 'Searches of everything, and many operations in one request'],
  ['Discovery', 'What the server supports'],
  ['Operation', 'Probes for whoever runs the process'],
];

/** The OpenAPI document of everything the application serves. */
export function openApiDocument(app: INestApplication, config: Config): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Rollcall')
    .setDescription(
      'SCIM 2.0 (RFC 7643, RFC 7644): Okta, Microsoft Entra ID and any SCIM client create, update, deactivate and group ' +
        'users here. Press **Authorize** and paste the bearer token; then every operation can be tried.',
    )
    .setVersion('2.0')
    // Relative, so that "Try it out" stays with the server that the page came from, by whatever name it was reached.
    .addServer(new URL(config.publicUrl).pathname)
    .addSecurity('bearer', {
      type: 'http',
      scheme: 'bearer',
      description: "The tenant's bearer token, printed at the first start.",
    });
  for (const [name, description] of tags) builder.addTag(name, description);
  return SwaggerModule.createDocument(app, builder.build(), { autoTagControllers: false });
}

/** Serves Swagger UI at /docs and the document at /openapi.json. */
export function serveSwagger(app: INestApplication, config: Config): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Rollcall',
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      // The list of schemas at the end folded up; beside an operation, a schema open down to its attributes' types.
      defaultModelsExpandDepth: 0,
      defaultModelExpandDepth: 2,
    },
  });
}
