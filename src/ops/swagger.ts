import type { INestApplication, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Express } from 'express';
import type { Config } from '../config.js';
import { AnonymousRequests } from '../limits/anonymous-requests.js';
import { keptAnswer, type Admit, type Content } from './kept-answer.js';
import { swaggerFile, swaggerFiles, swaggerHtml, swaggerScript, swaggerVersion } from './swagger-page.js';

/** A page of Swagger UI and the OpenAPI document that it shows. */
interface DocumentPage {
  readonly page: string;
  readonly document: string;
  readonly title: string;
  readonly description: string;
  readonly credentials: { readonly name: string; readonly description: string };
  /** What the operations are grouped by, in the order of the page. */
  readonly tags: readonly (readonly [name: string, description: string])[];
}

const scimPage: DocumentPage = {
  page: 'docs',
  document: 'openapi.json',
  title: 'Rollcall',
  description:
    'SCIM 2.0 (RFC 7643, RFC 7644): Okta, Microsoft Entra ID and any SCIM client create, update, deactivate and group ' +
    'users here. Press **Authorize** and paste the bearer token; then every operation can be tried.',
  credentials: { name: 'bearer', description: "The tenant's bearer token, printed at the first start." },
  tags: [
    ['Users', 'People, active or not'],
    ['Groups', 'Users, and groups nested in groups'],
    ['All types', 'Searches of everything, and many operations in one request'],
    ['Discovery', 'What the server supports'],
    ['OAuth', 'Access tokens for client credentials'],
    ['Operation', 'Probes for whoever runs the process'],
  ],
};

const adminPage: DocumentPage = {
  page: 'docs/admin',
  document: 'openapi-admin.json',
  title: 'Rollcall administration',
  description: "For operators: tenants and their credentials. Press **Authorize** and paste the operators' token.",
  credentials: { name: 'admin', description: 'The token of the configuration, ADMIN_TOKEN.' },
  tags: [
    ['Tenants', 'Customers, each with a directory of its own'],
    ['Tokens', "The bearer tokens of a tenant's clients"],
    ['Clients', 'Programs that get short-lived tokens at the token endpoint'],
    ['Issuers', 'Identity providers whose tokens are accepted'],
    ['Audit', 'What was changed, by whom and how'],
    ['Requests', "What became of a tenant's requests"],
  ],
};

/**
 * Makes an OpenAPI document of the application.
 * @param modules whose operations it has
 */
function openApiDocument(app: INestApplication, config: Config, shown: DocumentPage, modules: Type[]): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle(shown.title)
    .setDescription(shown.description)
    .setVersion('2.0')
    // Relative, so that "Try it out" stays with the server that the page came from, by whatever name it was reached.
    .addServer(new URL(config.publicUrl).pathname)
    .addSecurity(shown.credentials.name, {
      type: 'http',
      scheme: 'bearer',
      description: shown.credentials.description,
    });
  for (const [name, description] of shown.tags) builder.addTag(name, description);
  return SwaggerModule.createDocument(app, builder.build(), { autoTagControllers: false, include: modules });
}

/**
 * Serves Swagger UI at /docs and the document at /openapi.json; what is for operators only at /docs/admin and
 * /openapi-admin.json, when there is any. With DOCS=off it serves nothing.
 * @param adminModule the module of what is for operators
 */
export function serveSwagger(app: INestApplication, config: Config, adminModule: Type): void {
  if (!config.docs) return;
  const modules = [...app.get(ModulesContainer).values()].map(({ metatype }) => metatype);
  const others = modules.filter((module) => module !== adminModule);
  if (modules.includes(adminModule)) servePage(app, config, adminPage, [adminModule]);
  servePage(app, config, scimPage, others);
}

/** Serves a page, its files and its document: each made on its first request, and kept. */
function servePage(app: INestApplication, config: Config, shown: DocumentPage, modules: Type[]): void {
  const anonymous = app.get(AnonymousRequests, { strict: false });
  const admit: Admit = (request, bytes) => anonymous.admit(request, bytes);
  const express = app.getHttpAdapter().getInstance() as Express;
  const base = `/${shown.page}`;
  const folder = `./${shown.page.split('/').at(-1)}/`;
  const [beside, within] = [folder, './'].map((files) => keptAnswer(() => swaggerHtml(shown.title, files), admit));
  express.get(base, (request, response, next) =>
    (request.path.endsWith('/') ? within : beside)?.(request, response, next),
  );
  for (const [name, type] of swaggerFiles) {
    express.get(
      `${base}/${name}`,
      keptAnswer(() => swaggerFile(name, type), admit, swaggerVersion),
    );
  }
  const up = '../'.repeat(shown.page.split('/').length);
  express.get(
    `${base}/swagger-ui-init.js`,
    keptAnswer(() => swaggerScript(up + shown.document), admit),
  );
  const document = (): Content => ({
    type: 'application/json; charset=utf-8',
    bytes: Buffer.from(JSON.stringify(openApiDocument(app, config, shown, modules))),
  });
  express.get(`/${shown.document}`, keptAnswer(document, admit));
}
