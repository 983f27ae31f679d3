import { beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readConfig } from '../../src/config.js';
import {
  kubectl,
  kustomize,
  readManifests,
  violations,
  withUnknownFields,
  type Manifest,
} from '../support/kubernetes.js';
import { describeWithPrograms } from '../support/programs.js';

type Fields = Readonly<Record<string, unknown>>;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly envFrom: readonly { readonly configMapRef?: { name: string }; readonly secretRef?: { name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: Fields;
  readonly resources: { readonly requests: Fields; readonly limits: Fields };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}

interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly strategy: { readonly type: string };
    readonly selector: { readonly matchLabels: Fields };
    readonly template: {
      readonly metadata: { readonly labels: Fields };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly initContainers?: readonly Container[];
        readonly securityContext: Fields;
        readonly terminationGracePeriodSeconds: number;
        readonly serviceAccountName: string;
        readonly automountServiceAccountToken: boolean;
        readonly volumes?: readonly {
          readonly name: string;
          readonly persistentVolumeClaim?: { readonly claimName: string };
          readonly configMap?: Fields;
        }[];
        readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[];
      };
    };
  };
}

const folders = {
  small: 'deploy/kubernetes/overlays/small',
  production: 'deploy/kubernetes/overlays/production',
  move: 'deploy/kubernetes/move',
};
/** The folders that are a whole installation. */
const names = ['small', 'production'] as const;
let rendered: Record<keyof typeof folders, Manifest[]>;

/** Everything here is about what kubectl renders. */
const describe = (what: string, tests: () => void): void => {
  describeWithPrograms([kubectl], what, tests);
};

beforeAll(() => {
  if (kubectl.path === undefined) return;
  const { small, production, move } = folders;
  rendered = { small: kustomize(small), production: kustomize(production), move: kustomize(move) };
});

/** The one object of a kind. */
function one<T extends Manifest>(overlay: keyof typeof folders, kind: string): T {
  const found = rendered[overlay].filter((each) => each.kind === kind && each.metadata.name !== 'rollcall-dashboard');
  expect(found).toHaveLength(1);
  return found[0] as T;
}

const deployment = (overlay: keyof typeof folders): Deployment => one<Deployment>(overlay, 'Deployment');
const containers = ({ spec }: Deployment): Container[] => [
  ...spec.template.spec.containers,
  ...(spec.template.spec.initContainers ?? []),
];

describe('the overlays', () => {
  it.each(Object.keys(folders) as (keyof typeof folders)[])(
    'are what the Kubernetes API takes, to the last field: %s',
    (overlay) => {
      expect(violations(rendered[overlay])).toEqual([]);
    },
  );

  it('are of the kinds they should be', () => {
    const kinds = (overlay: keyof typeof folders): string[] => [...new Set(rendered[overlay].map(({ kind }) => kind))];
    const common = ['Namespace', 'ServiceAccount', 'ConfigMap', 'Service', 'Deployment', 'NetworkPolicy'];
    expect(kinds('small').sort()).toEqual([...common, 'PersistentVolumeClaim'].sort());
    expect(kinds('production').sort()).toEqual(
      [
        ...common,
        ...['Ingress', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'ServiceMonitor', 'PrometheusRule'],
      ].sort(),
    );
  });

  it.each(names)('put everything into one namespace, and hold no secrets: %s', (overlay) => {
    const others = rendered[overlay].filter(({ kind }) => kind !== 'Namespace');
    expect(new Set(others.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['rollcall']));
    expect(JSON.stringify(rendered[overlay])).not.toMatch(/postgres(ql)?:\/\/|"(?:DATABASE_URL|\w+_TOKEN|\w+_SECRET)"/);
  });
});

describe('the checks of the schemas', () => {
  it('find an unknown field, wherever it is in any object', () => {
    const everything = [...rendered.production, ...rendered.small, ...rendered.move].filter(
      ({ metadata }) => metadata.name !== 'rollcall-dashboard',
    );
    const broken = everything.flatMap(withUnknownFields);
    expect(broken.length).toBeGreaterThan(100);
    const found = violations(broken).join('\n');
    const missed = broken.filter(({ kind, metadata }) => !found.includes(`${kind} ${metadata.name}: `));
    expect(missed.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([]);
  });

  it.each([
    ['a value of the wrong type', ['spec', 'replicas'], '3'],
    [
      'a quantity that is none',
      ['spec', 'template', 'spec', 'containers', '0', 'resources', 'limits', 'memory'],
      '1Gx',
    ],
    ['a field that is required', ['spec', 'selector'], undefined],
  ])('find %s', (_what, path, value) => {
    const copy = structuredClone(deployment('production')) as unknown as Record<string, unknown>;
    const last = path.at(-1) ?? '';
    const at = path
      .slice(0, -1)
      .reduce<Record<string, unknown>>((inner, key) => inner[key] as Record<string, unknown>, copy);
    if (value === undefined) delete at[last];
    else at[last] = value;
    expect(violations([copy as unknown as Manifest])).toEqual(
      expect.arrayContaining([expect.stringContaining('rollcall: ')]),
    );
  });

  it('find a kind that the API does not have', () => {
    const unknown = { apiVersion: 'apps/v1', kind: 'Deploiment', metadata: { name: 'x' } };
    expect(violations([unknown])).toEqual(expect.arrayContaining(['apps/v1 has no Deploiment']));
  });

  it('find a key that is there twice', () => {
    expect(() => readManifests('kind: A\nkind: B\n')).toThrow('Map keys must be unique');
  });
});

describe('the pods', () => {
  it.each(names)('obey the "restricted" Pod Security Standard, which their namespace enforces: %s', (overlay) => {
    const pod = deployment(overlay).spec.template.spec;
    expect(one(overlay, 'Namespace').metadata.labels).toEqual(
      expect.objectContaining({ 'pod-security.kubernetes.io/enforce': 'restricted' }),
    );
    const user = {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    };
    expect(pod.securityContext).toEqual(expect.objectContaining(user));
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const container of containers(deployment(overlay))) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(container.resources.limits)).toContain('memory');
      expect(Object.keys(container.resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']));
    }
  });

  it.each(names)('run as the user that the image has, on the ports that it opens: %s', (overlay) => {
    const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
    expect(dockerfile).toMatch(/^USER 10001:10001$/m);
    const [{ ports }] = deployment(overlay).spec.template.spec.containers;
    expect(ports).toEqual([
      { name: 'http', containerPort: Number(/ PORT=(\d+)/.exec(dockerfile)?.[1]) },
      { name: 'admin', containerPort: 3001 },
      { name: 'metrics', containerPort: Number(/METRICS_PORT=(\d+)/.exec(dockerfile)?.[1]) },
    ]);
  });

  it.each(names)(
    'are asked what Rollcall answers: /livez whether to restart, /readyz whether to send requests: %s',
    (overlay) => {
      const [container] = deployment(overlay).spec.template.spec.containers;
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
      expect(probes.map((probe) => container[probe]?.httpGet)).toEqual([
        { path: '/livez', port: 'http' },
        { path: '/livez', port: 'http' },
        { path: '/readyz', port: 'http' },
      ]);
    },
  );

  it.each(names)(
    'have time to end: the pause, the second of draining and the 25 seconds of the server: %s',
    (overlay) => {
      const {
        containers: [container],
        terminationGracePeriodSeconds,
      } = deployment(overlay).spec.template.spec;
      const command = container.lifecycle?.preStop.exec.command ?? [];
      expect(command.slice(0, 2)).toEqual(['/nodejs/bin/node', '-e']);
      const pause = Number(/^setTimeout\(\(\) => \{\}, (\d+)\)$/.exec(command[2] ?? '')?.[1]) / 1000;
      expect(terminationGracePeriodSeconds).toBeGreaterThan(pause + 25);
    },
  );

  it.each(names)(
    'take their configuration from the ConfigMap, all of which Rollcall reads, and the Secret: %s',
    (overlay) => {
      const map = one<Manifest & { data: Record<string, string> }>(overlay, 'ConfigMap');
      for (const { envFrom } of containers(deployment(overlay)))
        expect(envFrom.slice(0, 2)).toEqual([
          { configMapRef: { name: map.metadata.name } },
          { secretRef: { name: 'rollcall' } },
        ]);
      // A change makes another name, and that another roll-out.
      expect(map.metadata.name).toMatch(/^rollcall-[a-z0-9]{10}$/);
      const known = [...readFileSync('src/config.ts', 'utf8').matchAll(/^ {2}([A-Z_]+)\??(?::| =)/gm)].map(
        ([, name]) => name,
      );
      expect(known).toEqual(expect.arrayContaining(Object.keys(map.data)));
      expect(() => readConfig(map.data)).not.toThrow();
    },
  );

  it.each(names)('are those that the selectors of everything else choose: %s', (overlay) => {
    const { spec, metadata } = deployment(overlay);
    const labels = { 'app.kubernetes.io/name': 'rollcall' };
    expect(spec.template.metadata.labels).toEqual(expect.objectContaining(labels));
    expect(spec.selector.matchLabels).toEqual(labels);
    expect(metadata.name).toBe('rollcall');
    const service = one<Manifest & { spec: { selector: Fields; ports: { name: string; targetPort: string }[] } }>(
      overlay,
      'Service',
    );
    expect(service.spec.selector).toEqual(labels);
    expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(['http', 'admin', 'metrics']);
    const policy = one<Manifest & { spec: { podSelector: Fields } }>(overlay, 'NetworkPolicy');
    expect(policy.spec.podSelector).toEqual({ matchLabels: labels });
    expect(spec.template.spec.serviceAccountName).toBe(one(overlay, 'ServiceAccount').metadata.name);
  });
});

describe('the move to PostgreSQL', () => {
  it('is a Job that reads the volume of "small" by the settings of the Secret, and is no pod of the service', () => {
    const job = one<Deployment>('move', 'Job');
    const { containers: running, volumes, securityContext, ...pod } = job.spec.template.spec;
    const [{ args, envFrom, securityContext: rights, volumeMounts }] = running;
    expect(args).toEqual(['move', '--from', '/data']);
    expect(envFrom).toEqual([{ secretRef: { name: 'rollcall' } }]);
    expect(volumeMounts).toContainEqual({ name: 'data', mountPath: '/data' });
    expect(volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: one('small', 'PersistentVolumeClaim').metadata.name },
    });
    expect(job.metadata.namespace).toBe('rollcall');
    // As the pods of the server, but for the labels that the service chooses by.
    const [{ securityContext: servers }] = deployment('production').spec.template.spec.containers;
    expect([securityContext, rights]).toEqual([deployment('small').spec.template.spec.securityContext, servers]);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(job.spec.template.metadata.labels['app.kubernetes.io/name']).not.toBe('rollcall');
  });
});

describe('small', () => {
  it('is one pod, never two, with the data of the image on a volume', () => {
    const { spec } = deployment('small');
    expect([spec.replicas, spec.strategy]).toEqual([1, { type: 'Recreate' }]);
    const [container] = spec.template.spec.containers;
    expect(container.volumeMounts).toEqual([{ name: 'data', mountPath: '/data' }]);
    expect(spec.template.spec.volumes?.map((volume) => volume.persistentVolumeClaim?.claimName)).toEqual([
      one('small', 'PersistentVolumeClaim').metadata.name,
    ]);
    expect(spec.template.spec.securityContext).toEqual(expect.objectContaining({ fsGroup: 10001 }));
  });
});

describe('production', () => {
  it('migrates before a version serves, with the same image', () => {
    const {
      containers: [container],
      initContainers,
    } = deployment('production').spec.template.spec;
    expect(initContainers?.map(({ name, image, args }) => ({ name, image, args }))).toEqual([
      { name: 'migrate', image: container.image, args: ['migrate'] },
    ]);
    expect(readFileSync('deploy/Dockerfile', 'utf8')).toMatch(/^ENTRYPOINT .*"\/app\/dist\/src\/cli\/main.js"\]$/m);
  });

  it('has three pods or more, spread over zones and nodes, of which one at a time may be away', () => {
    const { spec } = deployment('production');
    expect(spec.replicas).toBeUndefined();
    const { spec: scale } = one<
      Manifest & { spec: { minReplicas: number; maxReplicas: number; scaleTargetRef: Fields } }
    >('production', 'HorizontalPodAutoscaler');
    expect(scale.minReplicas).toBeGreaterThanOrEqual(3);
    expect(scale.maxReplicas).toBeGreaterThan(scale.minReplicas);
    expect(scale.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'rollcall' });
    const { spec: budget } = one<Manifest & { spec: Fields }>('production', 'PodDisruptionBudget');
    expect(budget).toEqual(expect.objectContaining({ maxUnavailable: 1, selector: spec.selector }));
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(spec.template.spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
  });

  it('may trust a database by an authority of its own, at the path that the page says', () => {
    const { volumes, containers: serving, initContainers = [] } = deployment('production').spec.template.spec;
    const page = readFileSync('docs/kubernetes.md', 'utf8');
    const [, name, file] = /create configmap (\S+) --from-file=(\S+)=/.exec(page) ?? [];
    const [, path = ''] = /sslrootcert=([^'`\s]+)/.exec(page) ?? [];
    expect(volumes).toEqual([{ name: 'database-ca', configMap: { name, optional: true } }]);
    for (const { volumeMounts } of [...serving, ...initContainers])
      expect(volumeMounts).toEqual([{ name: 'database-ca', mountPath: path.replace(`/${file}`, ''), readOnly: true }]);
  });

  it('is scraped on the port of the metrics', () => {
    const { spec } = one<Manifest & { spec: { endpoints: Fields[]; selector: Fields } }>(
      'production',
      'ServiceMonitor',
    );
    expect(spec.endpoints).toEqual([expect.objectContaining({ port: 'metrics', path: '/metrics' })]);
    expect(one('production', 'Service').metadata.labels).toEqual(
      expect.objectContaining({ 'app.kubernetes.io/name': 'rollcall' }),
    );
    expect(spec.selector).toEqual({ matchLabels: { 'app.kubernetes.io/name': 'rollcall' } });
  });

  it('brings the dashboard as it is in deploy/grafana', () => {
    const map = rendered.production.find(({ metadata }) => metadata.name === 'rollcall-dashboard') as Manifest & {
      data: Record<string, string>;
    };
    expect(map.metadata.labels).toEqual(expect.objectContaining({ grafana_dashboard: '1' }));
    expect(map.data).toEqual({ 'rollcall.json': readFileSync('deploy/grafana/rollcall.json', 'utf8') });
  });
});
