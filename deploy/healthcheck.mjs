// Whether the server of this container runs: exits with 0 when /livez answers 200, and with 1 otherwise.
import { get } from 'node:http';

const port = process.env.PORT ?? '3000';
get({ host: '127.0.0.1', port, path: '/livez', timeout: 2_000 }, ({ statusCode }) => {
  process.exit(statusCode === 200 ? 0 : 1);
})
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
