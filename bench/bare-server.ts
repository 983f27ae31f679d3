// What any server could at best do: node:http and pg, one row by its key, its text to the socket.
import { createServer } from 'node:http';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 20 });
const tenant = process.env['TENANT'];

const server = createServer((request, response) => {
  const id = request.url?.slice(request.url.lastIndexOf('/') + 1);
  pool
    .query<{ document: string }>({
      name: 'by-key',
      text: 'SELECT document::text AS document FROM users WHERE tenant_id = $1 AND id = $2',
      values: [tenant, id],
    })
    .then(({ rows }) => {
      response.setHeader('Content-Type', 'application/scim+json');
      response.end(rows[0]?.document);
    })
    .catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
});

server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.stdout.write('ready\n'));
