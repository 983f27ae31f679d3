import dockerignore from '@balena/dockerignore';
import { describe, expect, it } from '@jest/globals';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { join } from 'node:path';

const instructions = DockerfileParser.parse(readFileSync('deploy/Dockerfile', 'utf8')).getInstructions();
const rules = dockerignore.default().add(readFileSync('.dockerignore', 'utf8'));

const argumentsOf = (keyword: string, from: readonly Instruction[] = instructions): string[] =>
  from.filter((each) => each.getKeyword() === keyword).map((each) => each.getRawArgumentsContent() ?? '');

const lastFrom = instructions.findLastIndex((each) => each.getKeyword() === 'FROM');
const final = instructions.slice(lastFrom);

describe('the image', () => {
  it('is built on Node.js 24, and runs on it without a shell', () => {
    expect(argumentsOf('FROM')).toEqual([
      expect.stringMatching(/^node:24-[\w.-]+ AS build$/),
      expect.stringMatching(/^gcr\.io\/distroless\/nodejs24-[\w.-]+:nonroot$/),
    ]);
    for (const keyword of ['RUN', 'CMD', 'ENTRYPOINT'])
      for (const each of argumentsOf(keyword)) expect(Array.isArray(JSON.parse(each))).toBe(true);
    expect(argumentsOf('RUN', final)).toEqual([]);
  });

  it('runs as a user that is not root, who owns only the data', () => {
    expect(argumentsOf('USER', final)).toEqual(['10001:10001']);
    const owned = final.filter((each) => each.getTextContent().includes('--chown'));
    expect(owned.map((each) => each.getTextContent())).toEqual([
      'COPY --from=build --chown=10001:10001 /build/data /data',
    ]);
  });

  it('is for production, and says what it is', () => {
    const environment = Object.fromEntries(
      (argumentsOf('ENV', final)[0] ?? '').split(/\s+\\?\s*/).map((pair) => pair.split('=') as [string, string]),
    );
    expect(environment).toEqual({
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PORT: '3000',
      METRICS_PORT: '9464',
      DATA_DIR: '/data',
    });
    for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
      expect(argumentsOf('LABEL', final).join()).toContain(`org.opencontainers.image.${label}=`);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(argumentsOf('ARG', final)).toContain(`VERSION=${version}`);
  });

  it('installs what the lock file says, and keeps nothing that only development needs', () => {
    const commands = argumentsOf('RUN').map((each) => (JSON.parse(each) as string[]).join(' '));
    expect(commands[0]).toMatch(/^npm ci --ignore-scripts/);
    expect(commands).toEqual(expect.arrayContaining([expect.stringMatching(/^npm prune --omit=dev /)]));
  });
});

/** The files in a folder and its folders, by their paths from here. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));

describe('.dockerignore', () => {
  const there = readdirSync('.', { withFileTypes: true })
    .filter(({ name }) => !['.git', 'node_modules'].includes(name))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(entry.name) : [entry.name]));

  it('lets through what is listed, and nothing that appears in the folder later', () => {
    for (const path of ['node_modules/pg/package.json', '.git/config', '.env', 'data/pg/PG_VERSION', 'secrets/key.pem'])
      expect([path, rules.ignores(path)]).toEqual([path, true]);
    const through = rules.filter(there).filter((path) => !path.startsWith('src/'));
    expect(through.sort()).toEqual([
      'LICENSE',
      'deploy/healthcheck.mjs',
      'nest-cli.json',
      'ormconfig.ts',
      'package-lock.json',
      'package.json',
      'tsconfig.build.json',
      'tsconfig.json',
    ]);
  });

  it('lets all sources through, and no tests', () => {
    const sources = there.filter((path) => path.startsWith('src/'));
    expect(rules.filter(sources)).toEqual(sources.filter((path) => !path.endsWith('.spec.ts')));
  });

  it('lets through whatever the Dockerfile copies', () => {
    const copied = instructions
      .filter((each) => each.getKeyword() === 'COPY' && !each.getTextContent().includes('--from='))
      .flatMap((each) => each.getArguments().slice(0, -1))
      .map((each) => each.getValue());
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied)
      expect([path, rules.filter(there).some((file) => file === path || file.startsWith(`${path}/`))]).toEqual([
        path,
        true,
      ]);
  });
});

describe('the health check', () => {
  const check = (port: number): Promise<number | null> =>
    new Promise((ended) => {
      const child = spawn(process.execPath, ['deploy/healthcheck.mjs'], { env: { PORT: String(port) } });
      child.once('close', ended);
    });

  it.each([
    [200, 0],
    [503, 1],
    [404, 1],
  ])('of a server whose /livez answers %d ends with %d', async (status, code) => {
    const asked: (string | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end();
    });
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    expect(await check((server.address() as AddressInfo).port)).toBe(code);
    expect(asked).toEqual(['/livez']);
    server.close();
    server.closeAllConnections();
  });

  it('where nothing listens ends with 1', async () => {
    const server = createServer();
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    expect(await check(port)).toBe(1);
  });
});
