import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Content } from './kept-answer.js';

// As the package sees it that brings Swagger UI.
const require = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));

/** The files of Swagger UI that a page loads, with their media types. */
export const swaggerFiles: readonly (readonly [name: string, type: string])[] = [
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
];

/** The version of Swagger UI, as a query: the addresses of its files change with it. */
export const swaggerVersion = `v=${(require('swagger-ui-dist/package.json') as { version: string }).version}`;

/** Reads a file of Swagger UI. */
export async function swaggerFile(name: string, type: string): Promise<Content> {
  return { type, bytes: await readFile(join((require('swagger-ui-dist/absolute-path.js') as () => string)(), name)) };
}

/**
 * The page, which loads everything from this server.
 * @param files where its files are, relative to its own address, with a slash at the end
 */
export function swaggerHtml(title: string, files: string): Content {
  const address = (file: string): string => `${files}${file}?${swaggerVersion}`;
  return html(`<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="UTF-8">
  <title>${title}</title>
  <link rel="stylesheet" href="${address('swagger-ui.css')}">
  <link rel="icon" type="image/png" sizes="32x32" href="${address('favicon-32x32.png')}">
  <style>
    body { margin: 0; background: #fafafa; }
  </style>
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="${address('swagger-ui-bundle.js')}"></script>
  <script src="${files}swagger-ui-init.js"></script>
</body>
</html>
`);
}

/**
 * The script that starts Swagger UI. It keeps no credentials in the browser's storage, and takes away those that an earlier
 * release left there.
 * @param document where the OpenAPI document is, relative to the script's own address
 */
export function swaggerScript(document: string): Content {
  return script(`localStorage.removeItem('authorized');
SwaggerUIBundle({
  url: new URL(${JSON.stringify(document)}, document.currentScript.src).pathname,
  dom_id: '#swagger-ui',
  // Without the bar that would load any other document into this page.
  layout: 'BaseLayout',
  persistAuthorization: false,
  displayRequestDuration: true,
  // The list of schemas at the end folded up; beside an operation, a schema open down to its attributes' types.
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
});
`);
}

const html = (text: string): Content => ({ type: 'text/html; charset=utf-8', bytes: Buffer.from(text) });
const script = (text: string): Content => ({ type: 'text/javascript; charset=utf-8', bytes: Buffer.from(text) });
