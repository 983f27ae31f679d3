import { beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { otherConnections, readConfig } from '../../src/config.js';
import { adminToken } from '../support/admin.js';
import { kubectl, kustomize, type Manifest } from '../support/kubernetes.js';
import { describeWithPrograms } from '../support/programs.js';
import { startServer } from '../support/server.js';

type Fields = Readonly<Record<string, unknown>>;

interface Ingress extends Manifest {
  readonly spec: {
    readonly rules: readonly {
      readonly host: string;
      readonly http: {
        readonly paths: readonly {
          readonly path: string;
          readonly pathType: string;
          readonly backend: { readonly service: { readonly port: { readonly name: string } } };
        }[];
      };
    }[];
    readonly tls: readonly { readonly hosts: readonly string[] }[];
  };
}

interface NetworkPolicy extends Manifest {
  readonly spec: {
    readonly ingress: readonly {
      readonly from?: readonly Fields[];
      readonly ports: readonly { readonly port: string }[];
    }[];
    readonly egress: readonly {
      readonly to?: readonly { readonly ipBlock: Fields }[];
      readonly ports: readonly { readonly port: number }[];
    }[];
  };
}

/** The part of an application that says which routes there are. */
interface Routed {
  readonly router: { readonly stack: readonly { readonly route?: { readonly path: string } }[] };
}

const folder = 'deploy/kubernetes/overlays';
const names = ['small', 'production'] as const;
type Overlay = (typeof names)[number];
let rendered: Record<Overlay, Manifest[]>;

/** Everything here is about what kubectl renders. */
const describe = (what: string, tests: () => void): void => {
  describeWithPrograms([kubectl], what, tests);
};

beforeAll(() => {
  if (kubectl.path === undefined) return;
  rendered = { small: kustomize(`${folder}/small`), production: kustomize(`${folder}/production`) };
});

/** The one object of a kind. */
function one<T extends Manifest>(overlay: Overlay, kind: string): T {
  const found = rendered[overlay].filter((each) => each.kind === kind && each.metadata.name !== 'rollcall-dashboard');
  expect(found).toHaveLength(1);
  return found[0] as T;
}

/** The settings of an overlay that are no secrets. */
const settings = (overlay: Overlay): Readonly<Record<string, string>> =>
  one<Manifest & { data: Record<string, string> }>(overlay, 'ConfigMap').data;

const namespace = (name: string): Fields => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});
const labelled = (label: string): Fields => ({
  namespaceSelector: {},
  podSelector: { matchLabels: { [label]: 'true' } },
});
const inOneLine = (path: string): string => readFileSync(path, 'utf8').replace(/\s+(?:# )?/g, ' ');

describe('the ingress of production', () => {
  it('is at the host of PUBLIC_URL', () => {
    const host = new URL(settings('production')['PUBLIC_URL'] ?? '').host;
    const { spec } = one<Ingress>('production', 'Ingress');
    expect([spec.rules.map((rule) => rule.host), spec.tls.map(({ hosts }) => hosts)]).toEqual([[host], [[host]]]);
  });

  it('leads to SCIM, OAuth and .well-known, to every route of them, and to nothing else', async () => {
    const [rule] = one<Ingress>('production', 'Ingress').spec.rules;
    const paths = rule?.http.paths ?? [];
    expect(paths.map(({ path, pathType }) => [path, pathType])).toEqual(
      ['/scim', '/tenants', '/oauth', '/.well-known'].map((path) => [path, 'Prefix']),
    );
    expect(new Set(paths.map(({ backend }) => backend.service.port.name))).toEqual(new Set(['http']));
    const server = await startServer({ ADMIN_TOKEN: adminToken });
    const { stack } = (server.app.getHttpAdapter().getInstance() as unknown as Routed).router;
    const routes = stack.flatMap(({ route }) => (route ? [route.path] : []));
    await server.close();
    const isOutside = (route: string): boolean => paths.some(({ path }) => route.startsWith(`${path}/`));
    const forTheCluster = /^\/(?:admin|docs|openapi|livez|readyz|metrics|\*path)/;
    expect(routes.filter((route) => !isOutside(route) && !forTheCluster.test(route))).toEqual([]);
    expect(routes.filter(isOutside).length).toBeGreaterThan(20);
  });
});

describe('the network policy', () => {
  it('lets clients in through the ingress controller, and the application, operators and Prometheus by their labels', () => {
    const { ingress } = one<NetworkPolicy>('production', 'NetworkPolicy').spec;
    expect(ingress.map(({ from, ports }) => [from, ports.map(({ port }) => port)])).toEqual([
      [[namespace('ingress-nginx'), labelled('rollcall-client')], ['http']],
      [[labelled('rollcall-admin')], ['admin']],
      [[namespace('monitoring')], ['metrics']],
    ]);
    const page = readFileSync('docs/kubernetes.md', 'utf8');
    for (const label of ['rollcall-client', 'rollcall-admin']) expect(page).toContain(`\`${label}: 'true'\``);
  });

  it.each(names)(
    'lets pods reach identity providers by HTTPS, and never the metadata service of a cloud: %s',
    (overlay) => {
      const { spec } = one<NetworkPolicy>(overlay, 'NetworkPolicy');
      const web = spec.egress.filter(({ ports }) => ports.some(({ port }) => [80, 443].includes(port)));
      expect(web.map(({ to }) => to?.map(({ ipBlock }) => ipBlock))).toEqual([
        [
          { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] },
          { cidr: '::/0', except: ['fd00:ec2::254/128', 'fe80::/10'] },
        ],
      ]);
    },
  );
});

describe('the port of operators', () => {
  it.each(names)('is the one of the Service, and is set: %s', (overlay) => {
    const { spec } = one<Manifest & { spec: { ports: readonly Fields[] } }>(overlay, 'Service');
    const port = Number(settings(overlay)['ADMIN_PORT']);
    expect(spec.ports).toContainEqual({ name: 'admin', port, targetPort: 'admin' });
  });
});

describe('the pods of production', () => {
  it('open no more connections than PostgreSQL allows by default, with room for operators', () => {
    const { spec } = one<Manifest & { spec: { maxReplicas: number } }>('production', 'HorizontalPodAutoscaler');
    const ofPod = readConfig(settings('production')).databaseConnections + otherConnections;
    // One more while pods are replaced. PostgreSQL keeps three of its 100 for superusers.
    const wanted = (spec.maxReplicas + 1) * ofPod;
    expect(wanted).toBeLessThanOrEqual(97 - 7);
    const comment = inOneLine(`${folder}/production/horizontalpodautoscaler.yaml`);
    expect(comment).toContain(`A pod opens up to ${ofPod} connections`);
    expect(comment).toContain(`that is ${wanted} of the 100`);
    const page = inOneLine('docs/kubernetes.md');
    expect(page).toContain(`at most ${ofPod} connections`);
    expect(page).toContain(`${wanted} for ${spec.maxReplicas} pods`);
  });
});
